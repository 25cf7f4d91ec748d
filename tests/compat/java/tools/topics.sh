# The life of a topic with kafka-topics: created with a setting, listed, described, enlarged, deleted.
set -euo pipefail
address=$1 topics="$2/kafka-topics.sh --bootstrap-server $1"
$topics --create --topic alive --partitions 2 --config retention.ms=60000
$topics --list | grep -qx alive
$topics --describe --topic alive | tee /dev/stderr | grep -q "PartitionCount: 2"
$topics --describe --topic alive | grep -q "retention.ms=60000"
$topics --alter --topic alive --partitions 5
$topics --describe --topic alive | grep -q "PartitionCount: 5"
$topics --delete --topic alive
! $topics --list | grep -qx alive
