# Creates a topic, types lines into the console producer, reads them with the console consumer in a group.
source "$(dirname "$0")/words"
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic typed --partitions 2
seq 1 50 | "$bin/kafka-console-producer.sh" --bootstrap-server "$address" --topic typed
"$bin/kafka-console-consumer.sh" --bootstrap-server "$address" --topic typed --group readers --from-beginning \
  --max-messages 50 --timeout-ms 30000 >"$folder/read"
cmp <(sort -n "$folder/read") <(seq 1 50)
