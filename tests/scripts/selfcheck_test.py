"""What scripts/selfcheck makes of its figures. A failure here means that a promise is called kept which is not, or is
not looked at."""

import importlib.machinery
import importlib.util
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
LOADER = importlib.machinery.SourceFileLoader("selfcheck", str(ROOT / "scripts/selfcheck"))
selfcheck = importlib.util.module_from_spec(importlib.util.spec_from_loader("selfcheck", LOADER))
LOADER.exec_module(selfcheck)


def share(hits, of):
    return {"hits": hits, "of": of, "share": hits / of, "low": 0.0, "high": 1.0}


def simulation(wrong=0, found=1000):
    curves = []
    for way, repeat, effects in (("trials", 10, (0, 0.2)), ("trials", 20, (0, 0.2)), ("duets", 10, (0, 0.05))):
        points = [{"effect": effect, "judged": share(1000, 1000), "false_clearly": share(wrong, 1000)}
                  for effect in effects]
        for point in points[1:]:
            point["found"] = share(found, 1000)
        curves.append({"way": way, "repeat": repeat, "points": points})
    noise = {"machine": "m", "trials": 1, "trial_s": 1.0, "spread_of_trials": 0.1, "duets": 1, "duet_s": 1.0,
             "spread_of_duets": 0.01}
    return {"noise": noise, "experiments": 1000, "curves": curves}


def real(wrong=0, two=24, five=29):
    def variant(name, hits):
        runs = 60 if name == "same" else 30
        ratio = 1.0 if name == "same" else 1 + int(name.removeprefix("slow-")) / 100
        return {"id": name, "runs": runs, "median_ratio": ratio, "clearly_more": share(hits, 30),
                "clearly": share(hits, 30)}

    return {"runs": 60, "variants": [variant("same", wrong), variant("slow-2", two), variant("slow-5", five),
                                     variant("slow-10", 30)]}


class Promises(unittest.TestCase):
    def kept(self, judge, result):
        promises = []
        judge(result, [], promises)
        return dict(promises)

    def test_every_simulated_promise_is_looked_at(self):
        """Fails if a promise is left out, which looks like one that is kept."""
        kept = self.kept(selfcheck.simulated, simulation())
        self.assertEqual(len(kept), 6, kept)
        self.assertTrue(all(kept.values()))

    def test_false_alarms_and_blindness_are_broken_promises(self):
        """Fails if a lab that cries wolf, or sees nothing, passes."""
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.simulated, simulation(wrong=51)).values()), 3)
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.simulated, simulation(found=949)).values()), 2)

    def test_a_lab_that_says_nothing_has_kept_nothing(self):
        """Fails if no false alarm among experiments without a verdict, or among twenty of them, is a promise kept."""
        silent = simulation()
        for curve in silent["curves"]:
            curve["points"][0]["judged"]["hits"] = 0
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.simulated, silent).values()), 3)
        few = simulation() | {"experiments": 20}
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.simulated, few).values()), 1)

    def test_what_was_planted_is_looked_at(self):
        """Fails if 4 % that were found pass for the 2 % that were to be."""
        other = real()
        other["variants"][1]["median_ratio"] = 1.04
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.real, other).values()), 1)

    def test_real_runs_have_limits_of_their_own(self):
        """Fails if 2 % has to be found as often as 5 %, or a false alarm among real runs is not seen."""
        self.assertTrue(all(self.kept(selfcheck.real, real()).values()))
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.real, real(wrong=2)).values()), 1)
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.real, real(two=23)).values()), 1)
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.real, real(five=28)).values()), 1)

    def test_too_few_runs_prove_nothing(self):
        """Fails if three quiet runs pass for sixty."""
        few = real()
        for variant in few["variants"]:
            variant["runs"] = 3
        self.assertEqual(sum(not ok for ok in self.kept(selfcheck.real, few).values()), 4)


if __name__ == "__main__":
    unittest.main()
