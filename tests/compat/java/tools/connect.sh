# Kafka Connect, standalone: a file goes into a topic through one connector and out into another file through a second.
source "$(dirname "$0")/words"
seq 1 200 >"$folder/in.txt"
cat >"$folder/worker.properties" <<SETTINGS
bootstrap.servers=$address
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename=$folder/offsets
offset.flush.interval.ms=500
listeners=http://127.0.0.1:0
SETTINGS
cat >"$folder/in.properties" <<SETTINGS
name=in
connector.class=org.apache.kafka.connect.file.FileStreamSourceConnector
tasks.max=1
file=$folder/in.txt
topic=lines
SETTINGS
cat >"$folder/out.properties" <<SETTINGS
name=out
connector.class=org.apache.kafka.connect.file.FileStreamSinkConnector
tasks.max=1
file=$folder/out.txt
topics=lines
SETTINGS
"$bin/connect-standalone.sh" "$folder/worker.properties" "$folder/in.properties" "$folder/out.properties" &
worker=$!
trap 'kill $worker' EXIT
for ((second = 0; second < 60; second++)); do
  if cmp -s <(sort -n "$folder/out.txt" 2>/dev/null) "$folder/in.txt"; then
    echo "all 200 lines came out"
    exit 0
  fi
  kill -0 $worker
  sleep 1
done
echo "FAILED: $(wc -l <"$folder/out.txt") of 200 lines came out"
exit 1
