"""confluent-kafka: confluent_client.py HOST:PORT group|transaction|admin. Ends with 0 if all came back as sent."""

import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

RECORDS = 500
address = sys.argv[1]


def produce(topic, count, **settings):
    failed = []
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, **settings})
    for number in range(count):
        producer.produce(topic, key=f"k{number}", value=f"v{number}", on_delivery=lambda e, _: e and failed.append(e))
        producer.poll(0)
    assert producer.flush(30) == 0 and not failed, failed


def consume(topic, group, count, **settings):
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            **settings,
        }
    )
    consumer.subscribe([topic])
    read, until = [], time.monotonic() + 40
    while len(read) < count and time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is None:
            continue
        assert not message.error(), message.error()
        read.append(message.value().decode())
    if count:
        consumer.commit(asynchronous=False)
        committed = sum(at.offset for at in consumer.committed(consumer.assignment()) if at.offset > 0)
        assert committed >= count, f"{committed} committed of {count}"
    consumer.close()
    return read


def group():
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        produce(f"c-{codec}", RECORDS, **{"compression.type": codec})
        read = consume(f"c-{codec}", f"g-{codec}", RECORDS)
        assert sorted(read) == sorted(f"v{n}" for n in range(RECORDS)), f"{codec}: {len(read)} of {RECORDS} read"


def transaction():
    producer = Producer({"bootstrap.servers": address, "transactional.id": "writer"})
    producer.init_transactions(20)
    for number in range(4):
        producer.begin_transaction()
        producer.produce("t", value=f"round {number}", partition=0)
        if number % 2:
            producer.flush()
            producer.abort_transaction(20)
        else:
            producer.commit_transaction(20)
    read = consume("t", "committed", 2, **{"isolation.level": "read_committed"})
    assert read == ["round 0", "round 2"], read


def admin():
    client = AdminClient({"bootstrap.servers": address})
    client.create_topics([NewTopic("a", 2, 1)])["a"].result(20)
    client.create_partitions([NewPartitions("a", 3)])["a"].result(20)
    produce("a", 30)
    assert len(client.list_topics("a").topics["a"].partitions) == 3
    resource = ConfigResource(ResourceType.TOPIC, "a")
    assert "retention.ms" in client.describe_configs([resource])[resource].result(20)
    first = TopicPartition("a", 0)
    end = client.list_offsets({first: OffsetSpec.latest()})[first].result(20).offset
    client.delete_records([TopicPartition("a", 0, end)])[first].result(20)
    assert client.list_offsets({first: OffsetSpec.earliest()})[first].result(20).offset == end
    assert client.describe_cluster().result(20).nodes
    consume("a", "admins", 30 - end)
    assert any(found.group_id == "admins" for found in client.list_consumer_groups().result(20).valid)
    client.describe_consumer_groups(["admins"])["admins"].result(20)
    client.delete_consumer_groups(["admins"])["admins"].result(20)
    client.delete_topics(["a"])["a"].result(20)


{"group": group, "transaction": transaction, "admin": admin}[sys.argv[2]]()
