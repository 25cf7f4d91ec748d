# What the cluster says of itself: API versions, its id, log directories, open transactions.
source "$(dirname "$0")/words"
shows "Produce\(0\)" "$bin/kafka-broker-api-versions.sh" --bootstrap-server "$address"
shows "Cluster ID" "$bin/kafka-cluster.sh" cluster-id --bootstrap-server "$address"
shows "logDirs" "$bin/kafka-log-dirs.sh" --bootstrap-server "$address" --describe
shows "TransactionalId" "$bin/kafka-transactions.sh" --bootstrap-server "$address" list
