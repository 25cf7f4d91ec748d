"""Start to listening: from fork and exec to the first line on stdout, on an empty data directory."""

import tempfile

from figures import figure
from processes import Server


def broker_command(settings, model, directory, *more):
    return [settings.iolab, "broker", "--model", model, "--listeners", "PLAINTEXT://127.0.0.1:0",
            "--log-dirs", directory, *more]


def measure(settings):
    times_ms = []
    for _ in range(max(settings.repeat, 10) + 1):
        with tempfile.TemporaryDirectory() as directory:
            with Server(broker_command(settings, "epoll", directory)) as server:
                times_ms.append(server.start_s * 1000)
    yield figure("epoll, empty directory", times_ms[1:], "ms", "at most 50 ms", lambda value, _: value <= 50)
