"""Broker CPU for each produced record, against the least that any server must do with the same bytes.

rdkafka_performance sends 100-byte records in batches of up to 1 MB with acks=1. Right after each run the same number of
bytes goes at the same rate from the same CPU into raw_sink, which receives, computes one CRC-32C and makes one pwrite
for each MiB. CPU is the whole process's, user and system.
"""

import os
import re
import tempfile

from figures import figure
from processes import Server, run_load
from row_start import broker_command

RECORDS = 1_000_000
RECORD_BYTES = 100


def rdkafka_performance(settings):
    built = os.path.join(settings.build, "..", "librdkafka", "rdkafka_performance")
    for path in (os.environ.get("RDKAFKA_PERFORMANCE", ""), built):
        if path and os.access(path, os.X_OK):
            return path
    raise RuntimeError("rdkafka_performance is not built; scripts/bench builds it, or name it in RDKAFKA_PERFORMANCE")


def produce(settings, server):
    """Returns the seconds that the producer measured for itself."""
    said = run_load([rdkafka_performance(settings), "-P", "-t", "speed", "-s", RECORD_BYTES, "-c", RECORDS, "-a", 1,
                     "-b", f"127.0.0.1:{server.port}", "-X", "batch.size=1000000", "-X", "batch.num.messages=10000",
                     "-X", "linger.ms=20", "-X", "queue.buffering.max.messages=2000000", "-q"], stdin=-3)
    match = re.search(r"(\d+) messages produced.*? in (\d+)ms", said, re.S)
    if not match or int(match.group(1)) < RECORDS:
        raise RuntimeError("rdkafka_performance did not say how long it took: " + said.strip()[-300:])
    return int(match.group(2)) / 1000


def measure(settings):
    ours, raw, ratios = [], [], []
    with tempfile.TemporaryDirectory() as directory, \
            Server([settings.bench + "/raw_sink", os.path.join(directory, "sink")]) as sink:
        for _ in range(max(settings.repeat, 10) + 1):
            with tempfile.TemporaryDirectory() as logs:
                command = broker_command(settings, "epoll", logs, "--override", "num.partitions=1")
                with Server(command) as broker:
                    before = broker.cpu_s()
                    seconds = produce(settings, broker)
                    broker_cpu = broker.cpu_s() - before
                    stored = sum(os.path.getsize(os.path.join(root, name))
                                 for root, _, names in os.walk(logs) for name in names if name.endswith(".log"))
            before = sink.cpu_s()
            run_load([settings.bench + "/raw_sender", sink.port, stored, stored / seconds])
            raw_cpu = sink.cpu_s() - before
            ours.append(broker_cpu / RECORDS * 1e6)
            raw.append(raw_cpu / RECORDS * 1e6)
            ratios.append(broker_cpu / raw_cpu)
    yield figure("epoll, CPU per record", ours[1:], "us")
    yield figure("receive + CRC + pwrite, CPU per record", raw[1:], "us")
    yield figure("epoll against the raw loop", ratios[1:], "times", "at most 2.0", lambda value, _: value <= 2.0)
