# kafka-get-offsets and kafka-delete-records agree about where a partition begins and ends.
source "$(dirname "$0")/words"
offsets=("$bin/kafka-get-offsets.sh" --bootstrap-server "$address" --topic o)
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic o --partitions 1
seq 1 30 | "$bin/kafka-console-producer.sh" --bootstrap-server "$address" --topic o
shows "^o:0:30$" "${offsets[@]}"
echo '{"partitions":[{"topic":"o","partition":0,"offset":10}],"version":1}' >"$folder/delete.json"
"$bin/kafka-delete-records.sh" --bootstrap-server "$address" --offset-json-file "$folder/delete.json"
shows "^o:0:10$" "${offsets[@]}" --time earliest
