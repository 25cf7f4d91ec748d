# Kafka's own load tools: what the producer sends, the consumer reads.
set -euo pipefail
address=$1 bin=$2
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic p --partitions 2
"$bin/kafka-producer-perf-test.sh" --topic p --num-records 20000 --record-size 100 --throughput -1 \
  --producer-props "bootstrap.servers=$address" acks=all
"$bin/kafka-consumer-perf-test.sh" --bootstrap-server "$address" --topic p --messages 20000 --timeout 30000 |
  tee /dev/stderr | tail -n 1 | cut -d, -f5 | grep -Eq "^ *20000$"
