"""Fetch of 1 MiB from the page cache over loopback, against the faster of two raw loops that send the same bytes.

They send them from the broker's own log: how a file was written decides in how many pieces its pages lie in the cache,
and with that how fast sendfile is. A file written in one go would be another file.
"""

import os
import struct
import tempfile

from figures import figure
from processes import Server, run_load
from row_start import broker_command

TOPIC = "speed"
ANSWER_BYTES = 1 << 20
DEPTH = 4
SECONDS = 1.0


def fetch_request():
    """Fetch v4, as kafka-python sends it: one partition from offset 0, at most 1 MiB."""
    def text(value):
        return struct.pack(">h", len(value)) + value.encode()

    header = struct.pack(">hhi", 1, 4, 7) + text("speed-table")
    partition = struct.pack(">iqi", 0, 0, ANSWER_BYTES)
    topics = struct.pack(">i", 1) + text(TOPIC) + struct.pack(">i", 1) + partition
    body = struct.pack(">iiiib", -1, 0, 1, ANSWER_BYTES, 0) + topics
    return struct.pack(">i", len(header + body)) + header + body


def fill(settings, port):
    run_load([settings.iolab, "perf", "produce", "--topic", TOPIC, "--num-records", 2000, "--record-size", 1000,
              "--throughput", -1, "--producer-props", f"bootstrap.servers=127.0.0.1:{port}", "acks=1",
              "batch.size=16384"])


def measure(settings):
    with tempfile.TemporaryDirectory() as directory:
        request_file = os.path.join(directory, "request")
        with open(request_file, "wb") as file:
            file.write(fetch_request())
        raw = [settings.bench + "/raw_file_server"]
        logs = os.path.join(directory, "logs")
        log_file = os.path.join(logs, TOPIC + "-0", "00000000000000000000.log")
        rest = [log_file, ANSWER_BYTES, len(fetch_request())]
        with Server(broker_command(settings, "epoll", logs, "--override", "num.partitions=1")) as broker:
            fill(settings, broker.port)
            with Server(raw + ["sendfile", *rest]) as sendfile, Server(raw + ["pread", *rest]) as pread:
                rates = {"broker": [], "sendfile": [], "pread": []}
                for _ in range(max(settings.repeat, 10) + 1):
                    for name, server, answer_bytes in (("broker", broker, 0), ("sendfile", sendfile, ANSWER_BYTES),
                                                       ("pread", pread, ANSWER_BYTES)):
                        drain = ["/drain_client", server.port, request_file, answer_bytes, DEPTH, SECONDS]
                        rates[name].append(float(run_load([settings.bench + drain[0], *drain[1:]])))
    rates = {name: values[1:] for name, values in rates.items()}  # the first round warms files and memory
    for name in ("sendfile", "pread", "broker"):
        yield figure(f"{name}", [rate / 1e9 for rate in rates[name]], "GB/s")
    ratios = [b / max(s, p) for b, s, p in zip(rates["broker"], rates["sendfile"], rates["pread"])]
    yield figure("epoll against the faster raw loop", ratios, "times", "at least 0.8", lambda value, _: value >= 0.8)
