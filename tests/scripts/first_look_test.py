"""What a newcomer sees first: the line of the README that makes the first picture, after a build. A failure here means
that they wait, see nothing, or copy a line that does not work."""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IOLAB = Path(os.environ["IOLAB_BINARY"]).resolve()
LONGEST_S = 60


def lines_after_the_build():
    """The second block of commands in the README: what is typed once the first has built everything."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1].splitlines()


class FirstLook(unittest.TestCase):
    def test_the_readme_says_how(self):
        """Fails if the README has no line for the first picture, or the shell would not find the program it names."""
        lines = lines_after_the_build()
        shown = [line for line in lines if re.match(r"iolab first-look(\s|$)", line)]
        self.assertEqual(len(shown), 1, lines)
        before = lines[: lines.index(shown[0])]
        self.assertEqual([line for line in before if line.startswith("PATH=")], ["PATH=$PWD/build/release:$PATH"])
        self.assertEqual(IOLAB.name, "iolab")

    def test_the_first_chart_is_there_within_a_minute(self):
        """The first picture takes longer than somebody waits for it, or a model is missing from it without a word."""
        shown = [line for line in lines_after_the_build() if line.startswith("iolab first-look")]
        path = {"PATH": f"{IOLAB.parent}:{os.environ['PATH']}"}  # of this build, as the README's own line does it
        with tempfile.TemporaryDirectory(prefix="iolab-first-look-") as folder:
            before = time.monotonic()
            done = subprocess.run(
                ["bash", "-c", shown[0]],
                cwd=folder, env={**os.environ, **path}, capture_output=True, encoding="utf-8", check=False,
            )  # fmt: skip
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
            self.assertIn("Tracing: ", done.stdout)


if __name__ == "__main__":
    unittest.main()
