"""The idle broker: its memory, what each idle connection adds, and what 1,000 of them cost in CPU.

VmRSS counts pages of files too (the program itself); the kernel's own memory for a socket, about the same for every
model, is in neither. An idle connection is one that was accepted and has sent nothing.
"""

import socket
import tempfile
import time

from figures import figure, skipped
from processes import Server
from row_start import broker_command

CONNECTIONS = 10_000
# Why a model needs more than 1 KiB for a connection that does nothing. The session itself needs about 400 bytes.
WHY = {
    "blocking": "a thread: its stack, and glibc's and our bookkeeping for it; the kernel's 16 KiB stack comes on top",
    "blocking-pool": "a thread waits in it: the stack's first pages",
    "nonblocking": "asking means naming a buffer: the session's smallest, 4 KiB, is kept between two questions",
    "sigio": "a new socket is read once unasked, into the session's smallest buffer, 4 KiB, which is kept",
    "posix-aio": "one of glibc's hidden threads sleeps in its read(): that thread's stack, and a 4 KiB buffer",
    "io_uring": "the kernel holds an order to receive, and the buffer it names: the session's smallest, 4 KiB",
}
IDLE_FOR_CPU = 1_000
WATCH_S = 5


def connect_idle(port, count):
    """Stops at the first connection that cannot be made within two seconds: the backlog is full, and stays so.

    Connects from many local addresses: one alone has 28,000 ports, and the measurements before may have used some.
    """
    sockets = []
    for index in range(count):
        connection = socket.socket()
        connection.settimeout(2)
        try:
            connection.bind((f"127.0.0.{2 + index % 50}", 0))
            connection.connect(("127.0.0.1", port))
        except OSError:
            connection.close()
            break
        sockets.append(connection)
    return sockets


def still_open(connections):
    """How many were not closed by the server (a model may refuse what it cannot hold)."""
    count = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            count += connection.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            count += 1
        except OSError:
            pass
    return count


def accepted(server, counters_wanted, timeout_s=30):
    """Waits until the server's descriptors stop growing: then it has accepted what it can hold."""
    import os
    last, since = -1, time.monotonic()
    deadline = since + timeout_s
    while time.monotonic() < deadline:
        now = len(os.listdir(f"/proc/{server.pid}/fd"))
        if now != last:
            last, since = now, time.monotonic()
        if now >= counters_wanted or time.monotonic() - since > 1.5:
            break
        time.sleep(0.1)
    return last


def measure_memory(settings):
    base = []
    for _ in range(max(settings.repeat, 10)):
        with tempfile.TemporaryDirectory() as directory, Server(broker_command(settings, "epoll", directory)) as server:
            base.append(server.memory_bytes() / 2**20)
    yield figure("idle broker, epoll", base, "MiB", "at most 20 MiB", lambda value, _: value <= 20)
    for model in settings.models:
        yield memory_per_connection(settings, model)


def memory_per_connection(settings, model):
    per_connection, held_counts = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as directory, Server(broker_command(settings, model, directory)) as server:
            # The first few connections pay for what is made once; they are not counted.
            warm = connect_idle(server.port, 8)
            descriptors = accepted(server, 1 << 30, 3)
            before = server.memory_bytes()
            connections = connect_idle(server.port, CONNECTIONS)
            held = accepted(server, descriptors + CONNECTIONS) - descriptors
            after = server.memory_bytes()
            for connection in warm + connections:
                connection.close()
            if held > 0:
                per_connection.append((after - before) / held)
                held_counts.append(held)
    if not held_counts:
        return skipped(f"each idle connection, {model}", "the model holds no more connections than it has threads")
    held = max(held_counts)
    notes = [] if held >= CONNECTIONS else [f"holds {held + 8} of {CONNECTIONS}"]
    result = figure(f"each idle connection, {model}", per_connection, "bytes")
    if result["value"] > 1024:
        notes.append(WHY.get(model, "not explained"))
    result["note"] = "; ".join(notes)
    return result


def idle_policies(model):
    policies = [f"nonblocking:idle={policy}" for policy in ("spin", "yield", "backoff")]
    return policies if model == "nonblocking" else [model]


def measure_cpu(settings):
    for model in settings.models:
        for variant in idle_policies(model):
            with tempfile.TemporaryDirectory() as directory, \
                    Server(broker_command(settings, variant, directory)) as server:
                connections = connect_idle(server.port, IDLE_FOR_CPU)
                accepted(server, 1 << 30, 10)
                shares = []
                for _ in range(max(settings.repeat, 10)):
                    cpu, wall = server.cpu_s(), time.monotonic()
                    time.sleep(WATCH_S / 10)
                    shares.append((server.cpu_s() - cpu) / (time.monotonic() - wall) * 100)
                note = f"{still_open(connections)} connections open"
                for connection in connections:
                    connection.close()
            hope = () if model == "nonblocking" else ("under 1 %", lambda value, _: value < 1)
            yield figure(variant, shares, "% of one CPU", *hope, note=note)
