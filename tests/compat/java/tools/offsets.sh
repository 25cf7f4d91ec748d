# kafka-get-offsets and kafka-delete-records agree about where a partition begins and ends.
set -euo pipefail
address=$1 bin=$2 folder=$3
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic o --partitions 1
seq 1 30 | "$bin/kafka-console-producer.sh" --bootstrap-server "$address" --topic o
[ "$("$bin/kafka-get-offsets.sh" --bootstrap-server "$address" --topic o)" = o:0:30 ]
echo '{"partitions":[{"topic":"o","partition":0,"offset":10}],"version":1}' >"$folder/delete.json"
"$bin/kafka-delete-records.sh" --bootstrap-server "$address" --offset-json-file "$folder/delete.json"
[ "$("$bin/kafka-get-offsets.sh" --bootstrap-server "$address" --topic o --time earliest)" = o:0:10 ]
