# kafka-consumer-groups: list, describe with lag, reset the offsets, delete.
source "$(dirname "$0")/words"
groups=("$bin/kafka-consumer-groups.sh" --bootstrap-server "$address")
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic g --partitions 1
seq 1 20 | "$bin/kafka-console-producer.sh" --bootstrap-server "$address" --topic g
"$bin/kafka-console-consumer.sh" --bootstrap-server "$address" --topic g --group one --from-beginning --max-messages 20 \
  --timeout-ms 30000 >/dev/null
shows "^one$" "${groups[@]}" --list
shows "one +g +0 +20 +20 +0" "${groups[@]}" --describe --group one
shows "Empty|Stable" "${groups[@]}" --describe --group one --state
"${groups[@]}" --reset-offsets --group one --topic g --to-offset 5 --execute
shows "one +g +0 +5 +20 +15" "${groups[@]}" --describe --group one
"${groups[@]}" --delete --group one
hides "^one$" "${groups[@]}" --list
