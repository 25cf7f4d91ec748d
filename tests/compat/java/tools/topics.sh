# The life of a topic with kafka-topics: created with a setting, listed, described, enlarged, deleted.
source "$(dirname "$0")/words"
topics=("$bin/kafka-topics.sh" --bootstrap-server "$address")
"${topics[@]}" --create --topic alive --partitions 2 --config retention.ms=60000
shows "^alive$" "${topics[@]}" --list
shows "PartitionCount: 2.*retention.ms=60000" "${topics[@]}" --describe --topic alive
"${topics[@]}" --alter --topic alive --partitions 5
shows "PartitionCount: 5" "${topics[@]}" --describe --topic alive
"${topics[@]}" --delete --topic alive
hides "^alive$" "${topics[@]}" --list
