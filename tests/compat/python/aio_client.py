"""aiokafka: aio_client.py HOST:PORT group|transaction. Ends with 0 if all came back as it was sent."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

RECORDS = 500
address = sys.argv[1]


async def consume(topic, count, **settings):
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, group_id=f"g-{topic}", auto_offset_reset="earliest", **settings
    )
    await consumer.start()
    try:
        return [(await asyncio.wait_for(consumer.getone(), 30)).value.decode() for _ in range(count)]
    finally:
        await consumer.stop()


async def group():
    async with AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True) as producer:
        for number in range(RECORDS):
            await producer.send("aio", f"v{number}".encode(), key=f"k{number}".encode())
        await producer.flush()
    read = await consume("aio", RECORDS)
    assert sorted(read) == sorted(f"v{n}" for n in range(RECORDS))


async def transaction():
    async with AIOKafkaProducer(bootstrap_servers=address, transactional_id="writer") as producer:
        for number in range(4):
            await producer.begin_transaction()
            await producer.send_and_wait("t", f"round {number}".encode(), partition=0)
            await (producer.abort_transaction() if number % 2 else producer.commit_transaction())
    read = await consume("t", 2, isolation_level="read_committed")
    assert read == ["round 0", "round 2"], read


asyncio.run({"group": group, "transaction": transaction}[sys.argv[2]]())
