# kafka-configs: a topic's setting is added, seen and removed.
source "$(dirname "$0")/words"
configs=("$bin/kafka-configs.sh" --bootstrap-server "$address" --entity-type topics --entity-name c)
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic c --partitions 1
"${configs[@]}" --alter --add-config max.message.bytes=64000
shows "max.message.bytes=64000" "${configs[@]}" --describe
"${configs[@]}" --alter --delete-config max.message.bytes
hides "max.message.bytes=64000" "${configs[@]}" --describe
