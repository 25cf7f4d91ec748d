# kafka-configs: a topic's setting is added, seen and removed.
set -euo pipefail
configs="$2/kafka-configs.sh --bootstrap-server $1 --entity-type topics --entity-name c"
"$2/kafka-topics.sh" --bootstrap-server "$1" --create --topic c --partitions 1
$configs --alter --add-config max.message.bytes=64000
$configs --describe | tee /dev/stderr | grep -q "max.message.bytes=64000"
$configs --alter --delete-config max.message.bytes
! $configs --describe | grep -q "max.message.bytes=64000"
