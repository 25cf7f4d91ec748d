# kafka-consumer-groups: list, describe with lag, reset the offsets, delete.
set -euo pipefail
address=$1 bin=$2 groups="$2/kafka-consumer-groups.sh --bootstrap-server $1"
"$bin/kafka-topics.sh" --bootstrap-server "$address" --create --topic g --partitions 1
seq 1 20 | "$bin/kafka-console-producer.sh" --bootstrap-server "$address" --topic g
"$bin/kafka-console-consumer.sh" --bootstrap-server "$address" --topic g --group one --from-beginning --max-messages 20 \
  --timeout-ms 30000 >/dev/null
$groups --list | grep -qx one
$groups --describe --group one | tee /dev/stderr | grep -Eq "one +g +0 +20 +20 +0"
$groups --describe --group one --state
$groups --reset-offsets --group one --topic g --to-offset 5 --execute
$groups --describe --group one | grep -Eq "one +g +0 +5 +20 +15"
$groups --delete --group one
! $groups --list | grep -qx one
