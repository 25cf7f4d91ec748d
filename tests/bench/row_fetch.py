"""Fetch of 1 MiB from the page cache over loopback, against the faster of two raw loops that send the same bytes."""

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
        data_file = os.path.join(directory, "data")
        with open(request_file, "wb") as file:
            file.write(fetch_request())
        with open(data_file, "wb") as file:
            file.write(os.urandom(ANSWER_BYTES))
        raw = [settings.bench + "/raw_file_server"]
        request_bytes = len(fetch_request())
        logs = os.path.join(directory, "logs")
        with Server(broker_command(settings, "epoll", logs, "--override", "num.partitions=1")) as broker, \
                Server(raw + ["sendfile", data_file, ANSWER_BYTES, request_bytes]) as sendfile, \
                Server(raw + ["pread", data_file, ANSWER_BYTES, request_bytes]) as pread:
            fill(settings, broker.port)
            rates = {"broker": [], "sendfile": [], "pread": []}
            for _ in range(max(settings.repeat, 10) + 1):
                for name, server, answer_bytes in (("broker", broker, 0), ("sendfile", sendfile, ANSWER_BYTES),
                                                   ("pread", pread, ANSWER_BYTES)):
                    drain = [settings.bench + "/drain_client", server.port, request_file, answer_bytes, DEPTH, SECONDS]
                    rates[name].append(float(run_load(drain)))
    rates = {name: values[1:] for name, values in rates.items()}  # the first round warms files and memory
    for name in ("sendfile", "pread", "broker"):
        yield figure(f"{name}", [rate / 1e9 for rate in rates[name]], "GB/s")
    ratios = [b / max(s, p) for b, s, p in zip(rates["broker"], rates["sendfile"], rates["pread"])]
    yield figure("epoll against the faster raw loop", ratios, "times", "at least 0.8", lambda value, _: value >= 0.8)
