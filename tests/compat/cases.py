"""Programs of other people's clients as cases: each against a broker process of its own, bounded in time, and judged.

A folder's `run` says which cases it has and how to obtain what they need; expected.txt in that folder says what was
seen when it was recorded, one case a line: name, pass or fail, and the reason of a failure. A case passes if its
command ends with 0 and the broker's own counter says that it was asked something.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from broker_process import Broker, requests_served

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/compat"  # everything that is downloaded or built
# What clients' own suites take for granted: four partitions, groups that start at once, and topics that may ask for the
# three replicas of the clusters that the suites were written for.
SETTINGS = ("num.partitions=4", "group.initial.rebalance.delay.ms=0", "iolab.any.replication.factor=true")


@dataclass
class Case:
    """`command(address, folder)` gives the words to run; `folder` is empty and goes away afterwards."""

    name: str
    command: object
    timeout_s: int = 120
    environment: dict = field(default_factory=dict)
    result: str = ""
    reason: str = ""
    seconds: float = 0.0


def known_settings(iolab, wanted):
    """Those of `wanted` (key=value) whose property this broker has."""
    known = subprocess.run([iolab, "broker", "--describe-protocol"], capture_output=True, text=True, check=True).stdout
    return [setting for setting in wanted if f"`{setting.split('=')[0]}`" in known]


def bounded(command, timeout_s, log, folder, environment=None):
    """Runs a command in a session of its own, its output in `log`: the exit code, or None if it was late and ended."""
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}  # which changes what suites do
    with open(log, "wb") as said:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            env=inherited | (environment or {}), start_new_session=True,
        )  # fmt: skip
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None


def last_words(log):
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    words = ("Error", "Exception", "FAILED", "rror:", "failed")
    telling = [line for line in lines if any(word in line for word in words)]
    return (telling or lines or ["it said nothing"])[-1][:300]


def run_case(case, iolab, model, logs):
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iolab-compat-") as place:
        folder, log = Path(place), logs / f"{case.name}.log"
        (folder / "data").mkdir()
        broker = Broker(iolab, model, folder / "data", known_settings(iolab, SETTINGS), folder / "counters")
        try:
            command = case.command(broker.address, folder)
            code = bounded(command, case.timeout_s, log, folder, case.environment)
            requests = requests_served(folder / "counters")
            if code is None:
                case.result, case.reason = "fail", f"not at its end after {case.timeout_s} s; {last_words(log)}"
            elif code != 0:
                case.result, case.reason = "fail", last_words(log)
            else:
                case.result, case.reason = ("pass", "") if requests > 0 else ("fail", "it asked no broker")
            if broker.process.poll() is not None:
                case.result, case.reason = "fail", f"the broker died: {broker.said()[-300:]}"
        finally:
            broker.kill()
            (logs / f"{case.name}.broker.log").write_text(broker.said(), encoding="utf-8")
    case.seconds = time.monotonic() - started


def read_expected(path):
    rows = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                name, result, *_ = line.split(None, 2)
                rows[name] = result
    return rows


def main(folder, cases_of):
    """What each `run` calls: --iolab FILE --model ID [CASE...]. `cases_of()` obtains and lists the cases."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--iolab", default=str(ROOT / "build/release/iolab"))
    parser.add_argument("--model", default="epoll")
    parser.add_argument("names", nargs="*", help="cases whose names begin so; all, if none is given")
    options = parser.parse_args()
    suite, expected = folder.name, read_expected(folder / "expected.txt")
    logs = BUILD / "logs" / f"{suite}.{options.model.replace(':', '_')}"
    logs.mkdir(parents=True, exist_ok=True)
    chosen = [case for case in cases_of() if not options.names or case.name.startswith(tuple(options.names))]
    for case in chosen:
        run_case(case, options.iolab, options.model, logs)
        changed = "" if expected.get(case.name, case.result) == case.result else f"  [expected {expected[case.name]}]"
        print(f"{case.name:36} {case.result}{changed}  {case.seconds:5.1f} s  {case.reason}", flush=True)
    surprises = [case.name for case in chosen if expected.get(case.name) == "pass" != case.result]
    passed = sum(case.result == "pass" for case in chosen)
    print(f"{suite} on {options.model}: expected to pass and did not: {' '.join(surprises) or 'none'}")
    print(f"{passed} passed, {len(chosen) - passed} failed")
    return 1 if surprises or not chosen else 0


def obtain(command, done, log_name):
    """Runs a command that fetches or builds, unless `done` exists; its output goes to build/compat/LOG_NAME."""
    if done.exists():
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    log = BUILD / log_name
    with open(log, "ab") as said:
        code = subprocess.run([str(word) for word in command], stdout=said, stderr=said, check=False).returncode
    if code != 0 or not done.exists():
        said = " ".join(str(word) for word in command)
        print(f"{said} ended with {code}; see {log.relative_to(ROOT)}", file=sys.stderr)
        sys.exit(4)
