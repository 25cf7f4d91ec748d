"""kafka-python, a client that shares no line with librdkafka: administration, keys, and kill -9 in mid-production."""

import time

from broker_process import CompatTest, main
from real_text import RealText

try:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic

    MISSING = None
except ImportError as error:
    MISSING = f"this Python cannot import kafka: {error} (apt-get install python3-kafka, and use /usr/bin/python3)"

WAIT_S = 60


class KafkaPythonTest(CompatTest):
    def test_text_comes_back(self):
        """Records that were acknowledged one by one come back changed, or elsewhere than where they were promised."""
        records = RealText(400_000).records
        address = self.start(self.model)
        for compression in (None, "gzip"):
            topic = f"text-{compression}"
            producer = KafkaProducer(bootstrap_servers=address, acks="all", compression_type=compression, retries=0)
            sent = [(producer.send(topic, key=key, value=line), key, line) for key, line in records]
            producer.flush(WAIT_S)
            promised = {place(future.get(WAIT_S)): (key, line) for future, key, line in sent}
            producer.close(WAIT_S)
            self.assertEqual(self.read_all(address, topic), promised)
        self.stop()

    def test_acknowledged_survives_kill_in_mid_production(self):
        """The broker is killed while it is being written to, and a record that it had acknowledged is gone."""
        records = RealText(1_500_000).records
        address = self.start(self.model)
        producer = KafkaProducer(
            bootstrap_servers=address,
            acks="all",
            retries=0,
            linger_ms=1,
            batch_size=4096,
            max_block_ms=20_000,
            request_timeout_ms=5000,
        )
        acknowledged = {}
        for number, (key, line) in enumerate(records):
            future = producer.send("load", key=key, value=line)
            future.add_callback(
                lambda told, record: acknowledged.__setitem__(place(told), record), record=(key, line)
            )
            if number > 2000 and len(acknowledged) > 1000:
                break
        self.assertGreater(len(acknowledged), 1000, "the broker acknowledged too little to lose")
        address = self.kill_and_start_again()
        producer.close(timeout=0)
        found = self.read_all(address, "load")
        lost = [where for where, record in acknowledged.items() if found.get(where) != record]
        self.assertEqual(lost, [], f"{len(lost)} of {len(acknowledged)} acknowledged records")
        self.stop()

    def test_administration(self):
        """A topic cannot be made, grown, described, searched by time or removed by the client's own means."""
        address = self.start(self.model)
        admin = KafkaAdminClient(bootstrap_servers=address)
        admin.create_topics([NewTopic("made", num_partitions=3, replication_factor=1)])
        admin.create_partitions({"made": NewPartitions(total_count=5)})
        described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "made")])
        self.assertIn("segment.bytes", str(described))
        consumer = KafkaConsumer(bootstrap_servers=address)
        self.assertEqual(consumer.partitions_for_topic("made"), {0, 1, 2, 3, 4})
        producer = KafkaProducer(bootstrap_servers=address, acks="all")
        for number in range(10):
            producer.send("made", partition=1, value=b"%d" % number, timestamp_ms=1_000_000 + number).get(WAIT_S)
        producer.close(WAIT_S)
        partition = TopicPartition("made", 1)
        self.assertEqual(consumer.beginning_offsets([partition]), {partition: 0})
        self.assertEqual(consumer.end_offsets([partition]), {partition: 10})
        self.assertEqual(consumer.offsets_for_times({partition: 1_000_004})[partition].offset, 4)
        consumer.close()
        admin.delete_topics(["made"])
        self.assertNotIn("made", admin.list_topics())
        admin.close()
        self.stop()

    def read_all(self, address, topic):
        """{(partition, offset): (key, value)} of everything that a consumer can see."""
        consumer = KafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", check_crcs=True)
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends, found, deadline = consumer.end_offsets(partitions), {}, time.monotonic() + WAIT_S
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            self.assertLess(time.monotonic(), deadline, f"read only {len(found)} records of {ends}")
            for batch in consumer.poll(timeout_ms=500).values():
                found.update({place(record): (record.key, record.value) for record in batch})
        consumer.close()
        return found


def place(record):
    return record.partition, record.offset


if __name__ == "__main__":
    main(MISSING)
