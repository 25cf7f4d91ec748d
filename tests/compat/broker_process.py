"""A broker as its users have it: a process with a port of its own, that can be stopped politely or killed."""

import argparse
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

SKIPPED = 77  # what ctest is told to take for "skipped"
START_S = 30
STOP_S = 30
WAIT_S = 60  # for what a client should have done by then


class Broker:
    """Started on construction. `address` is host:port."""

    def __init__(self, iolab, model, directory, settings=("num.partitions=4",), counters=None):
        """`settings`: key=value each; `counters`: the file for requests_served(), if wanted."""
        self.model = model
        self.log = open(Path(directory).with_suffix(f".{model.replace(':', '_')}.log"), "ab")
        self.process = subprocess.Popen(
            [
                iolab,
                "broker",
                "--model",
                model,
                "--listeners",
                "PLAINTEXT://127.0.0.1:0",
                "--log-dirs",
                str(directory),
                *(word for setting in settings for word in ("--override", setting)),
                *(("--counters", str(counters)) if counters else ()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        line = self._first_line()
        if not line.startswith("listening PLAINTEXT://"):
            self.kill()
            raise AssertionError(f"{model} does not listen; it said {line!r}, and in its log:\n{self.said()}")
        self.address = line.removeprefix("listening PLAINTEXT://").strip()

    def _first_line(self):
        line, deadline = b"", time.monotonic() + START_S
        while not line.endswith(b"\n") and time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.2)[0]:
                byte = os.read(self.process.stdout.fileno(), 1)
                if not byte:
                    break
                line += byte
        return line.decode(errors="replace")

    def kill(self):
        """kill -9: nothing is written any more, nothing is closed."""
        self.process.kill()
        self.process.wait(STOP_S)
        self._close()

    def stop(self):
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired as late:
            self.kill()
            raise AssertionError(f"{self.model} was still there {STOP_S} s after SIGTERM:\n{self.said()}") from late
        self._close()
        return code

    def _close(self):
        self.process.stdout.close()
        self.log.close()

    def said(self):
        return Path(self.log.name).read_text(errors="replace")[-4000:]


def requests_served(counters):
    """How many requests a broker with this file of counters has read: of all its threads, since its start.

    The places of the numbers come from io_models/counters.h, where the page is laid out.
    """
    header = (Path(__file__).resolve().parents[2] / "io_models/counters.h").read_text(encoding="utf-8")
    calls, counts = (
        re.findall(r"^  (\w+)", re.search(rf"enum class {name} .*?}};", header, re.DOTALL).group(0), re.MULTILINE)
        for name in ("Call", "Count")
    )
    with open(counters, "rb") as page:
        _, block_bytes, blocks = struct.unpack("<QQQ", page.read(24))
        place = 24 + 8 * (calls.index("count_") + counts.index("requests"))
        total = 0
        for block in range(blocks):
            page.seek(64 + block * block_bytes + place)
            total += struct.unpack("<Q", page.read(8))[0]
    return total


class CompatTest(unittest.TestCase):
    """Brings a data directory, and takes it and the last broker away whatever happens."""

    iolab = model = other_model = None
    settings = ("num.partitions=4",)  # of the broker; a test may have others

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="iolab-compat-"))
        self.directory = self.folder / "log"
        self.directory.mkdir()
        self.broker = None

    def start(self, model):
        self.broker = Broker(self.iolab, model, self.directory, self.settings)
        return self.broker.address

    def kill_and_start_again(self):
        """Kills the broker, and starts another model on what it left behind."""
        self.broker.kill()
        return self.start(self.other_model)

    def stop(self):
        self.assertEqual(self.broker.stop(), 0, f"{self.broker.model} did not drain and end with 0")
        self.broker = None

    def tearDown(self):
        if self.broker is not None:
            print(self.broker.said(), file=sys.stderr)
            self.broker.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(command, timeout_s=100, **more):
    """Runs a client, bounded in time; what it said is in the failure."""
    ended = subprocess.run(
        [str(part) for part in command], capture_output=True, timeout=timeout_s, check=False, **more
    )
    if ended.returncode != 0:
        said = (ended.stderr + ended.stdout)[-3000:].decode(errors="replace")
        raise AssertionError(f"{' '.join(str(part) for part in command)} ended with {ended.returncode}:\n{said}")
    return ended.stdout


def wait_until(condition, what):
    """Until the clients have come so far; `what` ends the sentence "there never were ..."."""
    deadline = time.monotonic() + WAIT_S
    between = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"there never were {what}")
        between.wait(0.05)


def main(missing=None):
    """What each test program calls: --iolab FILE --model ID. `missing` names what this machine lacks, if anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--iolab", required=True)
    parser.add_argument("--model", required=True)
    chosen, rest = parser.parse_known_args()
    models = json.loads(run([chosen.iolab, "models", "--json"]))["models"]
    models = [model for model in models if model["id"] != "null"]
    here = [model["id"] for model in models if model["available"]]
    reason = missing or next((model["reason"] for model in models if model["id"] == chosen.model), "no such model")
    if missing or chosen.model not in here:
        print(f"cannot run here: {reason}")
        sys.exit(1 if os.environ.get("IOLAB_REQUIRE_ALL_MODELS") == "1" else SKIPPED)
    CompatTest.iolab, CompatTest.model = chosen.iolab, chosen.model
    CompatTest.other_model = here[(here.index(chosen.model) + 1) % len(here)]
    unittest.main(argv=[sys.argv[0], "-v", *rest])
