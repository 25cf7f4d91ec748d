"""Runs librdkafka's test-runner number by number, each against a broker process of its own, and judges what it says.

A number counts as passed only if all of its tests that are not marked local passed, at least one ran, the program
itself ended with 0, and the broker was really asked something: its own counter of requests says so. What the suite
skipped by itself, or ran against librdkafka's mock broker, is shown and not counted.
"""

import argparse
import concurrent.futures
import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

from broker_process import Broker, requests_served  # found only after the path is set
from cases import BUILD, SETTINGS, bounded, known_settings  # as above

TIMEOUT_S = 240  # of one number; the suite's own limits are shorter, and this one catches what hangs
KAFKA_VERSION = "4.0.0"  # what the suite is told: our oldest versions of each API are those of Kafka 4.0
KAFKA_PATH = BUILD / "kafka/4.1.1"  # Kafka's own tools, if tests/compat/java/run has obtained them
SUMMARY = re.compile(r"^\|\s*(\d{4}_\w+|<MAIN>)\s*\|\s*([A-Z_ ]+?)\s*\|\s*([\d.]+)s\s*\|\s*(.*)$")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FAILED = re.compile(r"### Test \"[^\"]+\" failed at [^#]*###\s*(.*)")


class Expected:
    """A line of expected.txt: what one number did when the file was recorded, and why if it failed."""

    def __init__(self, number, result, reason):
        self.number, self.result, self.reason = number, result, reason

    @staticmethod
    def read(path):
        rows = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                number, result, *reason = line.split(None, 2)
                rows[number] = Expected(number, result, reason[0] if reason else "")
        return rows


def scenarios(suite):
    """number -> the scenarios in which it has tests that are not local, from the suite's own table."""
    found = {}
    text = (suite / "test.c").read_text(encoding="utf-8")
    for entry in re.findall(r"_TEST\((\d{4}_\w+(?:[^()]|\([^()]*\))*)\)", text):
        number, flags = entry[:4], entry
        if "TEST_F_LOCAL" in flags or "TEST_F_MANUAL" in flags:
            continue
        scenario = "noautocreate" if '"noautocreate"' in flags else "default"
        found.setdefault(number, set()).add(scenario)
    return found


class Outcome:
    """Of one number: pass, fail, skip (the suite did not want to) or local (no broker was asked)."""

    def __init__(self, number):
        self.number, self.result, self.reason = number, "skip", ""
        self.tests, self.seconds, self.requests = [], 0.0, 0


def settings(iolab, scenario):
    create = "false" if scenario == "noautocreate" else "true"
    return known_settings(iolab, (*SETTINGS, f"auto.create.topics.enable={create}"))


# In the suite's own folder, because two tests start programs in Java from there.
def run_suite(options, number, address, folder, scenario):
    """(exit code or None if it was ended for lateness, what it printed)"""
    conf = folder / "test.conf"
    conf.write_text(f"bootstrap.servers={address}\ntest.timeout.multiplier=2\n", encoding="utf-8")
    environment = {
        "TESTS": number, "TEST_KAFKA_VERSION": KAFKA_VERSION, "TEST_SCENARIO": scenario, "RDKAFKA_TEST_CONF": str(conf),
        "LD_LIBRARY_PATH": f"{options.suite.parent}/src:{options.suite.parent}/src-cpp",
        "BROKERS": address, "KAFKA_PATH": str(KAFKA_PATH),
    }  # fmt: skip
    command = [options.suite / "test-runner", "-p1", "-L"] + (["-Q"] if options.quick else [])
    log = options.logs / f"{number}.{scenario}.log"
    code = bounded(command, options.timeout, log, options.suite, environment)
    return code, COLOURS.sub("", log.read_text(encoding="utf-8", errors="replace"))


def judge(outcome, code, text):
    """Adds what one run of the program says to the outcome of its number."""
    rows = [SUMMARY.match(line) for line in text.splitlines()]
    rows = [row.groups() for row in rows if row and row.group(1).startswith(outcome.number)]
    ran = [(name, state) for name, state, _, reason in rows if "negative test flags" not in reason]
    outcome.tests += ran
    failure = [" ".join(found.split()) for found in FAILED.findall(text)]
    if code is None:
        outcome.result, outcome.reason = "fail", "did not end in time" + (f"; {failure[0]}" if failure else "")
    elif code != 0 or any(state in ("FAILED", "RUNNING") for _, state in ran):
        outcome.result = "fail"
        outcome.reason = failure[0] if failure else f"the program ended with {code}"
    elif any(state == "PASSED" for _, state in ran) and outcome.result != "fail":
        outcome.result = "pass"
        skipped = re.findall(r"SKIPPING (?:SUB)?TEST:? *(.*)", text)
        skipped = [why for why in skipped if "negative test flags" not in why]
        outcome.reason = f"{len(skipped)} parts skipped: {skipped[0]}" if skipped else ""
    elif outcome.result == "skip" and rows:
        outcome.reason = rows[-1][3]


def run_number(options, number):
    outcome, started = Outcome(number), time.monotonic()
    for scenario in sorted(options.scenarios[number]):
        with tempfile.TemporaryDirectory(prefix="iolab-rdkafka-") as place:
            folder = Path(place)
            (folder / "data").mkdir()
            broker = Broker(
                options.iolab, options.model, folder / "data", settings(options.iolab, scenario), folder / "counters"
            )
            try:
                code, text = run_suite(options, number, broker.address, folder, scenario)
                requests = requests_served(folder / "counters")
                outcome.requests += requests
                alive = broker.process.poll() is None
                judge(outcome, code, text)
                if not alive:
                    outcome.result, outcome.reason = "fail", f"the broker died: {broker.said()[-300:]}"
            finally:
                broker.kill()
                (options.logs / f"{number}.{scenario}.broker.log").write_text(broker.said(), encoding="utf-8")
    if outcome.result == "pass" and outcome.requests == 0:
        outcome.result, outcome.reason = "local", "asked no broker"
    outcome.seconds = time.monotonic() - started
    return outcome


def show(outcome, expected):
    names = ", ".join(sorted({f"{name} {state.lower()}" for name, state in outcome.tests})) or "-"
    before = expected.get(outcome.number)
    changed = "" if before is None or before.result == outcome.result else f"  [expected {before.result}]"
    why = f"  -- {outcome.reason}" if outcome.reason else ""
    figures = f"{outcome.seconds:6.1f} s  {outcome.requests:7d} requests"
    print(f"{outcome.number}  {outcome.result:5}{changed}  {figures}  {names}{why}", flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", type=Path, required=True, help="the folder of test-runner")
    parser.add_argument("--model", default="epoll")
    parser.add_argument("--iolab", default=str(ROOT / "build/release/iolab"))
    parser.add_argument("--jobs", type=int, default=4, help="numbers at the same time, each with its own broker")
    parser.add_argument("--quick", action="store_true", help="the suite's quick mode (-Q), which leaves parts out")
    parser.add_argument("--timeout", type=int, default=TIMEOUT_S, help="seconds for one number")
    parser.add_argument("--record", type=Path, help="write what happened in the form of expected.txt")
    parser.add_argument("numbers", nargs="*", help="all that need a broker, if none is named; short: some")
    return parser.parse_args()


SHORT = ["0001", "0011", "0012", "0017", "0030", "0033", "0090", "0103"]  # what every model has to pass


def main():
    options = parse()
    options.suite, options.scenarios = options.suite.resolve(), scenarios(options.suite)
    options.logs = BUILD / "logs" / f"librdkafka.{options.model.replace(':', '_')}"
    options.logs.mkdir(parents=True, exist_ok=True)
    expected = Expected.read(HERE / "expected.txt") if (HERE / "expected.txt").exists() else {}
    numbers = SHORT if options.numbers == ["short"] else options.numbers
    left_out = {row.number for row in expected.values() if row.result == "left-out"}
    numbers = numbers or [number for number in sorted(options.scenarios) if number not in left_out]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda number: run_number(options, number), numbers):
            show(outcome, expected)
            outcomes.append(outcome)
    count = {result: sum(o.result == result for o in outcomes) for result in ("pass", "fail", "skip", "local")}
    promised = {row.number for row in expected.values() if row.result == "pass"}
    surprises = [o.number for o in outcomes if o.number in promised and o.result != "pass"]
    print(f"librdkafka on {options.model}: {count['skip']} skipped by the suite, {count['local']} asked no broker")
    print(f"expected to pass and did not: {' '.join(surprises) or 'none'}; logs: {options.logs.relative_to(ROOT)}")
    print(f"{count['pass']} passed, {count['fail']} failed, {count['skip'] + count['local']} skipped")
    if options.record:
        lines = [f"{o.number} {o.result}{' ' + o.reason if o.reason else ''}" for o in outcomes]
        options.record.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
