"""What a newcomer sees first: `iolab first-look` after a build. A failure here means that they wait, or see nothing."""

import json
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

IOLAB = os.environ["IOLAB_BINARY"]
LONGEST_S = 60


class FirstLook(unittest.TestCase):
    def test_the_first_chart_is_there_within_a_minute(self):
        """The first picture takes longer than somebody waits for it, or a model is missing from it without a word."""
        with tempfile.TemporaryDirectory(prefix="iolab-first-look-") as folder:
            before = time.monotonic()
            done = subprocess.run([IOLAB, "first-look"], cwd=folder, capture_output=True, encoding="utf-8", check=False)
            took = time.monotonic() - before
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertLessEqual(took, LONGEST_S)
            runs = list(Path(folder, "results").iterdir())
            self.assertEqual(len(runs), 1)
            self.assertTrue((runs[0] / "report.html").is_file(), done.stdout)
            self.assertTrue((runs[0] / "figures/one_request.png").is_file())
            results = json.loads((runs[0] / "results.json").read_text(encoding="utf-8"))
            listed = json.loads(subprocess.run([IOLAB, "models", "--json"], stdout=subprocess.PIPE, check=True).stdout)
            wanted = {model["id"] for model in listed["models"]} - {"null"}
            self.assertEqual({series["id"] for series in results["series"] if series["role"] == "model"}, wanted)
            self.assertIn(str(runs[0].relative_to(folder)), done.stdout)


if __name__ == "__main__":
    unittest.main()
