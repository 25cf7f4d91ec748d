# Kafka's own load tools: what the producer sends, the consumer reads.
source "$(dirname "$0")/words"
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic p --partitions 2
shows "20000 records sent" "$bin/kafka-producer-perf-test.sh" --topic p --num-records 20000 --record-size 100 \
  --throughput -1 --producer-props "bootstrap.servers=$address" acks=all
shows ", 20000, " "$bin/kafka-consumer-perf-test.sh" --bootstrap-server "$address" --topic p --messages 20000 \
  --timeout 30000
