"""scripts/selfcheck takes hours and is interrupted: what is finished is not done again, what was begun goes on. Tried
with a program in iolab's place that notes what it is asked. A failure here costs somebody two hours, or mixes runs."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from example_run import ROOT
from selfcheck_test import real, simulation

STANDS_IN = """#!{python}
import json, sys
from pathlib import Path
here, words = Path(__file__).parent, sys.argv[1:]
with open(here / "asked.jsonl", "a") as asked:
    asked.write(json.dumps(words) + "\\n")
if (here / "refuses").exists():
    sys.exit("iolab: planted\\n")
if words[0] == "selfcheck" and words[1] == "calibrate":
    print(json.dumps({{"rounds": int(words[4]), "ratio": 1 + 0.00015 * int(words[4])}}))
elif words[0] == "selfcheck":
    print((here / (words[1] + ".json")).read_text())
else:
    place = Path(words[1] if words[0] == "resume" else words[words.index("--out") + 1])
    place.mkdir(parents=True, exist_ok=True)
    (place / "plan.json").write_text("{{}}")
    status = "interrupted" if (here / "stops").exists() else "complete"
    (place / "environment.json").write_text(json.dumps({{"status": status}}))
"""
CALIBRATION = [
    ["run", "OUT/calibration.asked.json", "--seed", "1", "--out", "OUT/calibration", "--no-report"],
    ["selfcheck", "calibrate", "OUT/calibration", "little", "200"],
    ["selfcheck", "calibrate", "OUT/calibration", "much", "700"],
]


def run_of(number):
    name = f"OUT/real/{number:03}"
    return ["run", f"{name}.asked.json", "--seed", f"{number + 1}", "--out", name, "--no-report"]


def count_of(runs):
    return ["selfcheck", "count", *(f"OUT/real/{number:03}" for number in range(runs))]


class Resume(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="iolab-selfcheck-")
        self.addCleanup(folder.cleanup)
        self.here, self.out = Path(folder.name), Path(folder.name, "out")
        self.program = self.here / "iolab"
        self.program.write_text(STANDS_IN.format(python=sys.executable), encoding="utf-8")
        self.program.chmod(0o755)
        simulated = simulation()
        simulated["noise"]["started"] = "2026-01-02T03:04:05Z"
        (self.here / "simulate.json").write_text(json.dumps(simulated), encoding="utf-8")
        (self.here / "count.json").write_text(json.dumps(real()), encoding="utf-8")

    def check(self, *flags, part="calibration,real"):
        """How the check ended, and what it asked of iolab."""
        noted = self.here / "asked.jsonl"
        noted.unlink(missing_ok=True)
        ended = subprocess.run(
            [sys.executable, "-B", str(ROOT / "scripts/selfcheck"), "--iolab", str(self.program)]
            + ["--out", str(self.out), "--part", part, "--same", "3", "--slower", "1", *flags],
            capture_output=True, encoding="utf-8", timeout=100, check=False,
        )  # fmt: skip
        lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
        return ended, [[word.replace(str(self.out), "OUT") for word in json.loads(line)] for line in lines]

    def assert_fails(self, ended, sentence):
        self.assertEqual(ended.returncode, 2, ended.stderr)
        self.assertRegex(ended.stderr, rf"\Ascripts/selfcheck: [^\n]*{sentence}[^\n]*\n\Z")

    def test_asks_for_every_part_in_order(self):
        """Fails if a part is left out, two runs share a seed, or runs are counted that were not made."""
        ended, asked = self.check(part="noise,simulation,calibration,real")
        wanted = [
            ["run", "OUT/noise.asked.json", "--seed", "1", "--out", "OUT/noise", "--no-report"],
            ["selfcheck", "simulate", "OUT/noise", "--experiments", "1000"],
            *CALIBRATION,
        ]
        for number in range(3):
            wanted += [run_of(number), count_of(number + 1)]
        self.assertEqual(asked, wanted)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertNotIn("NOT KEPT", (self.out / "selfcheck.txt").read_text(encoding="utf-8"))
        self.assertTrue((self.out / "power.png").is_file())

    def test_only_some_runs_are_slowed(self):
        """Fails if each run has the slowed entries beside the same model, which takes four times as long."""
        self.check()
        entries = [
            list(json.loads((self.out / f"real/{number:03}.asked.json").read_text(encoding="utf-8"))["variants"])
            for number in range(3)
        ]
        self.assertEqual(entries, [["same", "slow-2", "slow-5", "slow-10"], ["same"], ["same"]])

    def test_skips_what_is_finished(self):
        """Fails if a check that is started again measures again."""
        self.check()
        _, asked = self.check()
        self.assertEqual(asked, [count_of(1), count_of(2), count_of(3)])

    def test_goes_on_with_a_run_that_was_interrupted(self):
        """Fails if a run that has a plan is begun anew, or passed over because its directory is there."""
        self.check()
        (self.out / "real/000/environment.json").write_text('{"status": "interrupted"}', encoding="utf-8")
        (self.out / "real/001/environment.json").unlink()
        for name in ("environment.json", "plan.json"):
            (self.out / "real/002" / name).unlink()
        _, asked = self.check()
        goes_on = [["resume", f"OUT/real/{number:03}", "--no-report"] for number in range(2)]
        self.assertEqual(asked, [goes_on[0], count_of(1), goes_on[1], count_of(2), run_of(2), count_of(3)])

    def test_goes_on_where_it_stopped(self):
        """Fails if a run that did not come to its end is counted, or the next start is not told from the first."""
        (self.here / "stops").touch()
        ended, asked = self.check()
        self.assert_fails(ended, "calibration did not come to its end")
        self.assertEqual(asked, CALIBRATION[:1])
        (self.here / "stops").unlink()
        _, asked = self.check()
        self.assertEqual(asked[:2], [["resume", "OUT/calibration", "--no-report"], CALIBRATION[1]])

    def test_does_not_mix_runs_of_different_parameters(self):
        """Fails if runs that were asked for otherwise are counted with the rest."""
        self.check()
        ended, asked = self.check("--slower", "2")
        self.assert_fails(ended, "real/001 was made with other parameters")
        self.assertEqual(asked, [count_of(1)])

    def test_says_what_iolab_said(self):
        """Fails if iolab refuses, or is not there, and the check ends as if a promise had been broken."""
        (self.here / "refuses").touch()
        ended, _ = self.check()
        self.assert_fails(ended, "iolab run ended with 1: iolab: planted")
        self.program.unlink()
        ended, _ = self.check()
        self.assert_fails(ended, "cannot start .*iolab: .*build it")


if __name__ == "__main__":
    unittest.main()
