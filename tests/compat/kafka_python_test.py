"""kafka-python shares no line with librdkafka: administration, keys, groups, and kill -9 in mid-production."""

import threading
import time

from broker_process import WAIT_S, CompatTest, main, wait_until
from real_text import RealText

try:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
    from kafka.errors import CommitFailedError, KafkaError

    MISSING = None
except ImportError as error:
    MISSING = f"this Python cannot import kafka: {error} (apt-get install python3-kafka, and use /usr/bin/python3)"



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

    def test_a_group_shares_and_goes_on_after_a_restart(self):
        """Two consumers of a group read a record twice or never, or start over after kill -9."""
        address = self.start(self.model)
        first, second = Member(address), Member(address)
        wait_until(lambda: len(first.partitions) == 2 and len(second.partitions) == 2, "two partitions each")
        self.assertEqual(first.partitions | second.partitions, set(range(4)))
        sent = self.produce_numbers(address, range(100))
        wait_until(lambda: len(first.records) + len(second.records) >= len(sent), "all records")
        self.assertEqual(sorted(first.records + second.records), sorted(sent))
        self.assertTrue(first.records and second.records, "one of the two did all the work")
        before = len(first.records)
        second.leave()
        wait_until(lambda: len(first.partitions) == 4, "all partitions after the other one has left")
        sent = self.produce_numbers(address, range(100, 200))
        wait_until(lambda: len(first.records) - before >= len(sent), "all records, alone")
        self.assertEqual(sorted(first.records[before:]), sorted(sent))
        admin = KafkaAdminClient(bootstrap_servers=address)
        self.assertEqual([name for name, _ in admin.list_consumer_groups()], ["readers"])
        self.assertEqual(admin.describe_consumer_groups(["readers"])[0].state, "Stable")
        admin.close()
        first.leave()
        address = self.kill_and_start_again()
        sent = self.produce_numbers(address, range(200, 250))
        third = Member(address)
        wait_until(lambda: len(third.records) >= len(sent), "the new records")
        third.leave()
        self.assertEqual(sorted(third.records), sorted(sent), "what was committed before kill -9 is not known")
        self.stop()

    def test_a_compacted_topic_keeps_the_last_of_each_key(self):
        """Compaction loses a value that counts, keeps those that do not, or leaves gaps at which a consumer fails."""
        self.settings = ("num.partitions=1", "log.cleaner.backoff.ms=100")
        address = self.start(self.model)
        admin = KafkaAdminClient(bootstrap_servers=address)
        settings = {"cleanup.policy": "compact", "segment.bytes": "16384", "min.cleanable.dirty.ratio": "0.01"}
        admin.create_topics([NewTopic("compacted", 1, 1, topic_configs=settings)])
        last = {}
        for compression in (None, "gzip"):
            producer = KafkaProducer(
                bootstrap_servers=address, acks="all", compression_type=compression, batch_size=2000
            )
            for number in range(2000):
                key, value = b"key-%d" % (number % 37), b"%d-%s-" % (number, str(compression).encode()) + b"x" * 100
                last[key] = value
                producer.send("compacted", key=key, value=value)
            producer.flush(WAIT_S)
            with self.assertRaises(KafkaError):
                producer.send("compacted", value=b"without a key").get(WAIT_S)
            producer.close(WAIT_S)
        wait_until(lambda: len(self.read_all(address, "compacted")) < 1000, "fewer than 1000 of 4000 records")
        for _ in range(2):
            found = self.read_all(address, "compacted")
            self.assertEqual({key: value for _, (key, value) in sorted(found.items())}, last)
            address = self.kill_and_start_again()
        admin = KafkaAdminClient(bootstrap_servers=address)
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "compacted", {"retention.ms": "4711"})])
        described = str(admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "compacted")]))
        self.assertIn("4711", described)
        self.assertNotIn("16384", described, "what AlterConfigs does not name is taken back")
        admin.close()
        self.stop()

    def produce_numbers(self, address, numbers):
        """Spread over the partitions; returns [(partition, offset, value)]."""
        producer = KafkaProducer(bootstrap_servers=address, acks="all")
        futures = [(producer.send("shared", partition=n % 4, value=b"%d" % n), n) for n in numbers]
        sent = [(*place(future.get(WAIT_S)), b"%d" % n) for future, n in futures]
        producer.close(WAIT_S)
        return sent

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


class Member:
    """A consumer of the group "readers" in a thread of its own, as its rebalances need: it commits what it has read."""

    def __init__(self, address):
        self.partitions, self.records = set(), []
        self._leaving = threading.Event()
        self._consumer = KafkaConsumer(
            "shared",
            bootstrap_servers=address,
            group_id="readers",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=500,
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._leaving.is_set():
            for batch in self._consumer.poll(timeout_ms=200).values():
                self.records += [(*place(record), record.value) for record in batch]
            self.partitions = {partition.partition for partition in self._consumer.assignment()}
            if self.partitions:
                try:
                    self._consumer.commit()
                except CommitFailedError:
                    pass  # the group is being put together again
        self._consumer.close(autocommit=False)

    def leave(self):
        self._leaving.set()
        self._thread.join(WAIT_S)


def place(record):
    return record.partition, record.offset


if __name__ == "__main__":
    main(MISSING)
