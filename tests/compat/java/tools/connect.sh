# Kafka Connect, standalone: a file goes into a topic through one connector and out into another file through a second.
set -euo pipefail
address=$1 bin=$2 folder=$3
seq 1 200 >"$folder/in.txt"
cat >"$folder/worker.properties" <<SETTINGS
bootstrap.servers=$address
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename=$folder/offsets
offset.flush.interval.ms=500
listeners=http://127.0.0.1:0
SETTINGS
printf 'name=in\nconnector.class=org.apache.kafka.connect.file.FileStreamSourceConnector\ntasks.max=1\nfile=%s\ntopic=lines\n' \
  "$folder/in.txt" >"$folder/in.properties"
printf 'name=out\nconnector.class=org.apache.kafka.connect.file.FileStreamSinkConnector\ntasks.max=1\nfile=%s\ntopics=lines\n' \
  "$folder/out.txt" >"$folder/out.properties"
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
