"""librdkafka's transactions from Python: what is committed is read once, whatever happens to the broker meanwhile."""

from broker_process import WAIT_S, CompatTest, main

try:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic

    MISSING = None
except ImportError as error:
    MISSING = (
        f"this Python cannot import confluent_kafka: {error} (apt-get install python3-confluent-kafka, and use "
        "/usr/bin/python3)"
    )

PARTITIONS = 2
NUMBERS = 400
AT_ONCE = 50  # of the numbers, in one transaction


class TransactionsTest(CompatTest):
    def test_readers_of_committed_records_see_no_others(self):
        """A reader sees what was aborted or is still open, or misses something that was committed."""
        address = self.start(self.model)
        make_topics(address, "ledger")
        producer = starting_producer(address, "writer")
        for number in range(10):
            producer.begin_transaction()
            for partition in range(PARTITIONS):
                producer.produce("ledger", value=f"{number}", partition=partition)
            if number % 2:
                producer.flush(WAIT_S)
                producer.abort_transaction(WAIT_S)
            else:
                producer.commit_transaction(WAIT_S)
        producer.begin_transaction()
        producer.produce("ledger", value="open", partition=0)
        producer.flush(WAIT_S)
        even = [f"{number}" for number in range(0, 10, 2)]
        self.assertEqual(self.read(address, "ledger", "read_committed"), sorted(even * PARTITIONS))
        everything = [f"{number}" for number in range(10)] * PARTITIONS + ["open"]
        self.assertEqual(self.read(address, "ledger", "read_uncommitted"), sorted(everything))
        producer.commit_transaction(WAIT_S)
        self.assertEqual(self.read(address, "ledger", "read_committed"), sorted(even * PARTITIONS + ["open"]))
        self.stop()

    def test_a_zombie_cannot_commit(self):
        """Two producers with one transactional id both write, or what the older one left open comes to be read."""
        address = self.start(self.model)
        make_topics(address, "ledger")
        old = starting_producer(address, "writer")
        old.begin_transaction()
        old.produce("ledger", value="of the old one", partition=0)
        old.flush(WAIT_S)
        young = starting_producer(address, "writer")
        with self.assertRaises(KafkaException) as refused:
            old.commit_transaction(WAIT_S)
        self.assertTrue(refused.exception.args[0].fatal(), refused.exception)
        young.begin_transaction()
        young.produce("ledger", value="of the young one", partition=0)
        young.commit_transaction(WAIT_S)
        self.assertEqual(self.read(address, "ledger", "read_committed"), ["of the young one"])
        self.stop()

    def test_a_copy_is_exact_although_the_broker_is_killed(self):
        """The broker is killed within a transaction and behind one, and a record is copied twice or never."""
        address = self.start(self.model)
        make_topics(address, "source", "copy")
        source = Producer({"bootstrap.servers": address, "enable.idempotence": True})
        for number in range(NUMBERS):
            source.produce("source", value=f"{number}", partition=number % PARTITIONS)
        self.assertEqual(source.flush(WAIT_S), 0)
        self.copy(address, transactions=2, last_is_left_open=False)
        address = self.kill_and_start_again()
        self.copy(address, transactions=2, last_is_left_open=True)
        address = self.kill_and_start_again()
        self.copy(address, transactions=NUMBERS // AT_ONCE - 3, last_is_left_open=False)
        copied = self.read(address, "copy", "read_committed")
        self.assertEqual(copied, sorted(f"{number}" for number in range(NUMBERS)))
        self.assertGreater(len(self.read(address, "copy", "read_uncommitted")), NUMBERS, "nothing was ever aborted")
        self.stop()

    def copy(self, address, transactions, last_is_left_open):
        """Reads on from where the group has come, and commits copies and offsets together, as long as there is more."""
        producer = starting_producer(address, "copier")
        consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": "copiers",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "session.timeout.ms": 6000,
            }
        )
        consumer.subscribe(["source"])
        for number in range(transactions):
            messages = []
            while len(messages) < AT_ONCE:
                more = consumer.consume(AT_ONCE - len(messages), timeout=WAIT_S)
                self.assertTrue(more, f"{len(messages)} messages, and no more")
                self.assertIsNone(next((message.error() for message in more if message.error()), None))
                messages += more
            producer.begin_transaction()
            for message in messages:
                producer.produce("copy", value=message.value(), partition=message.partition())
            positions = consumer.position(consumer.assignment())
            producer.send_offsets_to_transaction(positions, consumer.consumer_group_metadata(), WAIT_S)
            if last_is_left_open and number == transactions - 1:
                producer.flush(WAIT_S)
                return  # as a process does that is killed: it says nothing to its group, either
            producer.commit_transaction(WAIT_S)
        consumer.close()

    def read(self, address, topic, isolation):
        """The values of all partitions to their ends, as far as such a reader gets; sorted."""
        consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": f"reader of {topic}",
                "enable.auto.commit": False,
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "check.crcs": True,
            }
        )
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
        values, ended = [], set()
        while len(ended) < PARTITIONS:
            message = consumer.poll(WAIT_S)
            self.assertIsNotNone(message, f"{topic} has no end for {isolation}; {len(values)} read")
            if message.error() is None:
                values.append(message.value().decode())
            else:
                self.assertEqual(message.error().code(), KafkaError._PARTITION_EOF, message.error())
                ended.add(message.partition())
        consumer.close()
        return sorted(values)


def make_topics(address, *names):
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names]).values():
        future.result(WAIT_S)


def starting_producer(address, transactional_id):
    producer = Producer({"bootstrap.servers": address, "transactional.id": transactional_id})
    producer.init_transactions(WAIT_S)
    return producer


if __name__ == "__main__":
    main(MISSING)
