# What the cluster says of itself: API versions, its id, log directories, open transactions.
set -euo pipefail
address=$1 bin=$2
"$bin/kafka-broker-api-versions.sh" --bootstrap-server "$address" | tee /dev/stderr | grep -q "Produce(0)"
"$bin/kafka-cluster.sh" cluster-id --bootstrap-server "$address" | grep -q "Cluster ID"
"$bin/kafka-log-dirs.sh" --bootstrap-server "$address" --describe | grep -q logDirs
"$bin/kafka-transactions.sh" --bootstrap-server "$address" list
