"""Server CPU per request of each model with an echo host, against the shortest hand-written server of that model.

64-byte messages, 16 connections, duet slices of 10 ms: both servers on one CPU, the load alternating between them, so
that whatever the machine does hits both alike. One pair of processes is one value; the interval is over the pairs.
System calls per request are counted by the kernel, in a pass of their own that is not timed.
"""

import json
import os
import subprocess

from figures import figure, skipped
from processes import SERVER_CPU, Server, run_load

CONNECTIONS = 16
MESSAGE_BYTES = 64
SLICE_MS = 10
SLICE_PAIRS = 150  # 3 s for each pair of processes


def measure(settings):
    for model in settings.models:
        raw = os.path.join(settings.bench, "raw_echo_" + model)
        if not os.path.exists(raw):
            yield skipped(model, f"no {os.path.basename(raw)} was built")
            continue
        spins = model == "nonblocking"
        ours = [os.path.join(settings.bench, "echo_server"), model]
        values = []
        for index in range(max(settings.repeat, 10)):
            # Which of the two starts first alternates, too.
            commands = [[raw], ours] if index % 2 == 0 else [ours, [raw]]
            with Server(commands[0]) as first, Server(commands[1]) as second:
                a, b = (first, second) if index % 2 == 0 else (second, first)
                result = duet(settings, a, b, spins)
                # Spinning servers use all the CPU there is: there the rate tells what a request costs.
                values.append(1 / result["rate_ratio"] if spins else result["cpu_ratio"])
        calls = system_calls_per_request(settings, raw, ours, spins)
        what = f"{model}, " + ("raw requests/s over ours" if spins else "CPU per request over raw")
        yield figure(what, values, "times", "upper end at most 1.05", lambda _, interval: interval[1] <= 1.05,
                     note=calls)


def duet(settings, a, b, pause, pairs=SLICE_PAIRS):
    command = [os.path.join(settings.bench, "duet"), a.port, a.pid, b.port, b.pid, CONNECTIONS, MESSAGE_BYTES, SLICE_MS,
               pairs] + (["pause"] if pause else [])
    return json.loads(run_load(command))


class CountedServer(Server):
    """A server under count_calls: `pid` is the counter's, whose only child is the server."""

    def __init__(self, settings, command):
        super().__init__([os.path.join(settings.bench, "count_calls"), *command], SERVER_CPU)
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as children:
            self.pid = int(children.read().split()[0])

    def calls(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        while line := self.process.stderr.readline():
            if line.strip().isdigit():  # the server's own sentences come the same way
                return int(line)
        raise RuntimeError("count_calls ended without a count")

    def stop(self):
        self.process.stdin.close()  # the counter then ends the server
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def system_calls_per_request(settings, raw, ours, spins):
    try:
        with CountedServer(settings, [raw]) as a, CountedServer(settings, ours) as b:
            before = a.calls(), b.calls()
            result = duet(settings, a, b, spins, pairs=60)
            after = a.calls(), b.calls()
    except (RuntimeError, ValueError, OSError) as error:
        return f"system calls not counted here ({str(error)[-80:]})"
    per_request = [(after[i] - before[i]) / result[f"answered_{side}"] for i, side in enumerate("ab")]
    return f"system calls per request: raw {per_request[0]:.3f}, ours {per_request[1]:.3f}"
