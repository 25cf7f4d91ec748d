"""kafka-python: kafkapy_client.py HOST:PORT group|admin|transaction. Ends with 0 if all came back as it was sent."""

import sys

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic

RECORDS = 500
address = sys.argv[1]


def produce(topic, count, **settings):
    producer = KafkaProducer(bootstrap_servers=address, **settings)
    sent = [producer.send(topic, f"v{n}".encode(), key=f"k{n}".encode()) for n in range(count)]
    producer.flush(30)
    assert all(one.get(10).offset >= 0 for one in sent)
    producer.close()


def consume(topic, group_id, **settings):
    consumer = KafkaConsumer(
        topic, bootstrap_servers=address, group_id=group_id, auto_offset_reset="earliest", enable_auto_commit=False,
        consumer_timeout_ms=8000, **settings,
    )  # fmt: skip
    read = [record.value.decode() for record in consumer]
    consumer.commit()
    consumer.close()
    return read


def group():
    for codec in (None, "gzip"):
        produce(f"p-{codec}", RECORDS, compression_type=codec)
        read = consume(f"p-{codec}", f"g-{codec}")
        assert sorted(read) == sorted(f"v{n}" for n in range(RECORDS)), f"{codec}: {len(read)} of {RECORDS} read"
        assert not consume(f"p-{codec}", f"g-{codec}"), "what was committed is read again"


def admin():
    client = KafkaAdminClient(bootstrap_servers=address)
    client.create_topics([NewTopic("a", 2, 1)])
    assert "a" in client.list_topics()
    produce("a", 10)
    assert len(consume("a", "admins")) == 10
    assert any("admins" in str(found) for found in client.list_consumer_groups())
    assert client.describe_consumer_groups(["admins"])
    client.delete_consumer_groups(["admins"])
    client.delete_topics(["a"])
    assert "a" not in client.list_topics()


def transaction():
    producer = KafkaProducer(bootstrap_servers=address, transactional_id="writer")
    producer.init_transactions()
    for number in range(4):
        producer.begin_transaction()
        producer.send("t", f"round {number}".encode(), partition=0)
        producer.flush(20)
        if number % 2:
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    read = consume("t", "committed", isolation_level="read_committed")
    assert read == ["round 0", "round 2"], read


{"group": group, "transaction": transaction, "admin": admin}[sys.argv[2]]()
