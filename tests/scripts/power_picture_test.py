"""scripts/draw_power.py, from a small simulation.json and real.json. A failure here means that a self-check ends with
no picture or with one that leaves a curve out, and nobody notices: scripts/selfcheck draws it in silence."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from example_run import ROOT

COLORS = {"duets": "#0072b2", "trials, 20": "#d55e00", "trials, 10": "#cc79a7"}
REAL_INK = "#1b1f24"


def rate(share):
    low, high = max(0, share - 0.1), min(1, share + 0.1)
    return {"hits": round(share * 100), "of": 100, "share": share, "low": low, "high": high}


def simulation():
    curves = [
        {
            "way": way,
            "repeat": repeat,
            "points": [{"effect": 0, "false_clearly": rate(0)}]
            + [{"effect": effect, "false_clearly": rate(0), "found": rate(found)} for effect, found in points],
        }
        for way, repeat, points in (
            ("trials", 10, ((0.05, 0.1), (0.2, 0.8))),
            ("trials", 20, ((0.05, 0.3), (0.2, 1.0))),
            ("duets", 10, ((0.01, 0.2), (0.05, 1.0))),
        )
    ]
    noise = {"machine": "a machine", "started": "2026-01-02T03:04:05Z", "trial_s": 3.0, "duet_s": 0.6}
    return {"noise": noise, "experiments": 100, "curves": curves}


def real():
    shares = {"same": 0.0, "slow-2": 0.9, "slow-5": 1.0, "slow-10": 1.0}
    return {"runs": 60, "variants": [{"id": name, "clearly_more": rate(share)} for name, share in shares.items()]}


class PowerPicture(unittest.TestCase):
    def draw(self, **files):
        """(png, svg) of a directory with these files."""
        with tempfile.TemporaryDirectory(prefix="iolab-power-") as folder:
            for name, content in files.items():
                Path(folder, f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
            ended = subprocess.run(
                [sys.executable, "-B", str(ROOT / "scripts/draw_power.py"), folder],
                capture_output=True, encoding="utf-8", timeout=100, check=False,
            )  # fmt: skip
            self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))
            return Path(folder, "power.png").read_bytes(), Path(folder, "power.svg").read_text(encoding="utf-8")

    def test_draws_a_png_and_an_svg(self):
        """Fails if one of the two is missing, empty, cut short or of another size than 1280 x 720."""
        png, svg = self.draw(simulation=simulation(), real=real())
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual((int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")), (1280, 720))
        self.assertIn(b"IEND", png[-12:])
        self.assertTrue(svg.rstrip().endswith("</svg>"))
        for picture in (png, svg):
            self.assertGreater(len(picture), 10_000)
            self.assertLess(len(picture), 500_000)

    def test_has_every_curve(self):
        """Fails if a curve or the real runs are not in the picture."""
        _, svg = self.draw(simulation=simulation(), real=real())
        for name, color in COLORS.items():
            self.assertIn(f"stroke: {color}", svg, name)
        self.assertIn(f"stroke: {REAL_INK}", svg)

    def test_needs_no_real_runs(self):
        """Fails if the simulation alone has no picture, or one that shows real runs."""
        _, svg = self.draw(simulation=simulation())
        self.assertIn(f"stroke: {COLORS['duets']}", svg)
        self.assertNotIn(f"stroke: {REAL_INK}", svg)
        none_slowed = {"runs": 60, "variants": real()["variants"][:1]}
        self.assertEqual(self.draw(simulation=simulation(), real=none_slowed)[1], svg)

    def test_is_the_same_twice(self):
        """Fails if the same figures give other bytes the second time, so that pictures cannot be compared by hash."""
        files = {"simulation": simulation(), "real": real()}
        self.assertEqual(self.draw(**files), self.draw(**files))

    def test_draws_the_recorded_self_check(self):
        """Fails if what `iolab selfcheck` writes is no longer what the picture is drawn from."""
        files = {
            name: json.loads((ROOT / f"results/reference/selfcheck/{name}.json").read_text(encoding="utf-8"))
            for name in ("simulation", "real")
        }
        _, svg = self.draw(**files)
        self.assertIn(f"stroke: {REAL_INK}", svg)


if __name__ == "__main__":
    unittest.main()
