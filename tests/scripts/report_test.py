"""The report: draws the documented example, leaves nothing out, fetches nothing, and says what it lacks."""

import json
import re
import tempfile
import unittest
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from example_run import EXAMPLE, draw

VOID = {"meta", "br", "link", "img", "hr", "input"}


class PageReader(HTMLParser):
    """Collects ids and addresses, and notices a tag that is closed out of order."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.addresses, self.misplaced, self.words = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href", "action", "poster", "srcset", "data"):
                self.addresses.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.misplaced.append((tag, self.getpos()))

    def handle_data(self, data):
        self.words.append(data)


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.results = json.loads(EXAMPLE.read_text())
        cls.folder = tempfile.TemporaryDirectory(prefix="iolab-report-")
        cls.directory = Path(cls.folder.name)
        cls.ended = draw(cls.results, cls.directory)
        page = cls.directory / "report.html"
        cls.page = page.read_text(encoding="utf-8") if page.exists() else ""
        cls.reader = PageReader()
        cls.reader.feed(cls.page)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_draws_every_chart(self):
        """A chart of the run has no picture, or one of another size than 1280 x 720."""
        self.assertEqual(self.ended.returncode, 0, self.ended.stderr)
        for chart in self.results["charts"]:
            png = (self.directory / "figures" / f"{chart['id']}.png").read_bytes()
            self.assertEqual((int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")), (1280, 720))
            self.assertIn("</svg>", (self.directory / "figures" / f"{chart['id']}.svg").read_text())
            self.assertEqual(
                self.page.count(f'aria-label="{escape(chart["alt"])}"'), 3, "a wide, a narrow and a large picture"
            )

    def test_tooltips_say_the_whole_number(self):
        """What makes the pictures shorter cuts digits off what they say: 3.07 becomes 3.0."""
        labels = {series["id"]: series["label"] for series in self.results["series"]}
        said = [
            f"{labels[entry['id']]}: {point['text']}"
            for chart in self.results["charts"]
            if chart["kind"] == "lines"
            for panel in chart["panels"]
            for entry in panel["series"]
            for point in entry["points"]
            if point.get("value") is not None
        ]
        said += [
            f": {part['text']}"
            for chart in self.results["charts"]
            for panel in chart["panels"]
            for bar in panel.get("bars", ())
            for part in bar.get("parts", ())
        ]
        tooltips = "\n".join(re.findall(r"<title>([^<]*)</title>", self.page)) + "\n"
        self.assertGreater(len(said), 10)
        self.assertEqual([text for text in said if f"{escape(text)}\n" not in tooltips], [])

    def test_draws_what_was_judged(self):
        """Fails if a verdict has no picture, no word, or a word that the file does not hold."""
        results = json.loads(EXAMPLE.read_text())
        names = [series["id"] for series in results["series"] if series["role"] == "model"][:3]
        words = ("clearly more", "the same", "too close to call")
        results["series"][1]["label"] = "io_uring-multishot:sockets=registered"  # leaves no room beside it at 360 px
        rows = [
            {"series": name, "value": at, "low": at - 0.02, "high": at + 0.02, "word": word, "text": str(at)}
            for name, at, word in zip(names, (1.4, 1.0, 1.05), words)
        ]
        axis = {"label": "times", "scale": "log", "min": 0.9, "max": 1.5, "ticks": [{"at": 1, "label": "1"}]}
        forest = {"id": "judgement", "kind": "forest", "title": "How sure", "floor": 0.03, "x": axis}
        results["charts"].append({**forest, "panels": [{"rows": rows}]})
        verdicts = [{**row, "ratio": row["value"], "more": 10, "less": 0, "p_holm": 0.02} for row in rows]
        judged = {"label": "CPU", "level": "here", "by": "duets", "floor_text": "3 %"}
        results["judgement"] = {**judged, "verdicts": verdicts}
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            done = draw(results, directory)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((directory / "figures/judgement.png").is_file())
            page = (directory / "report.html").read_text()
        self.assertIn('id="how_sure"', page)
        for word in words:
            self.assertIn(word, page)

    def test_fetches_nothing(self):
        """The page names an address outside of itself, so it is not whole when it is offline."""
        self.assertEqual([address for address in self.reader.addresses if not address.startswith("#")], [])
        self.assertNotRegex(self.page, r"https?:|@import|//[a-z]+\.[a-z]|url\((?!#)|\bfetch\(|XMLHttpRequest")

    def test_leaves_nothing_out(self):
        """A cell, a number, a sentence, a table entry or a reason of results.json is not on the page."""
        shown = " ".join(" ".join(self.reader.words).split())
        expected = [sentence["text"] for sentence in self.results["found"] + self.results["notes"]]
        expected += (
            self.results["method"] + self.results["next"] + [fact["text"] for fact in self.results["environment"]]
        )
        expected += [ceiling["text"] for ceiling in self.results["ceilings"]]
        expected += [self.results["run"]["expected"], self.results["run"]["refuted_by"]]
        expected += self.results["run"]["predict"]
        for cell in self.results["cells"]:
            expected += [cell["id"], cell["reason"]]
            if cell["status"] != "not-run":
                expected += [metric["text"] for metric in cell["metrics"].values()]
                expected += [f"{call['call']} {call['text']}" for call in cell["calls_per_request"]]
        for table in self.results["tables"]:
            expected += [table["title"]] + [cell["text"] for row in table["rows"] for cell in row["cells"]]
        for text in expected:
            self.assertIn(" ".join(text.split()), shown)

    def test_is_well_formed(self):
        """A tag is closed out of order, an id is given twice, or a link leads nowhere."""
        self.assertEqual(self.reader.misplaced, [])
        self.assertEqual(self.reader.open, [])
        twice = {name for name in self.reader.ids if self.reader.ids.count(name) > 1}
        self.assertEqual(twice, set())
        self.assertEqual([link for link in self.reader.addresses if link[1:] not in self.reader.ids], [])

    def test_says_first_what_was_found(self):
        """Something stands between the question and the first finding."""
        found = self.page.index(escape(self.results["found"][0]["text"]))
        self.assertLess(self.page.index(escape(self.results["run"]["question"])), found)
        self.assertNotIn("<figure", self.page[:found])
        self.assertNotIn("<table", self.page[:found])

    def test_a_run_without_answers_asks_nothing(self):
        """A run from before there were answers to pick is drawn with an empty question, or not at all."""
        results = json.loads(EXAMPLE.read_text())
        del results["run"]["predict"]
        with tempfile.TemporaryDirectory(prefix="iolab-report-") as folder:
            self.assertEqual(draw(results, Path(folder)).returncode, 0)
            page = (Path(folder) / "report.html").read_text()
        self.assertIn('id="predict"', self.page)
        self.assertNotIn('id="predict"', page)

    def test_is_the_same_twice(self):
        """The same results give other bytes the second time, so pictures cannot be compared by hash."""
        with tempfile.TemporaryDirectory(prefix="iolab-report-") as folder:
            draw(self.results, Path(folder))
            for path in sorted(self.directory.rglob("*")):
                if path.is_file() and path.name != "results.json":
                    self.assertEqual(
                        (Path(folder) / path.relative_to(self.directory)).read_bytes(), path.read_bytes()
                    )

    def test_text_of_a_run_is_no_markup(self):
        """A reason that contains a tag becomes part of the page's markup."""
        planted = json.loads(json.dumps(self.results).replace("FD_SETSIZE", "<script>alert(1)</script>&amp;"))
        with tempfile.TemporaryDirectory(prefix="iolab-report-") as folder:
            self.assertEqual(draw(planted, Path(folder)).returncode, 0)
            page = (Path(folder) / "report.html").read_text()
            self.assertNotIn("<script>alert", page)
            self.assertEqual(len(re.findall("<script", page)), 1)

    def test_without_matplotlib_names_the_package(self):
        """Without matplotlib there is a stack trace, or no page, or no word on what to install."""
        with tempfile.TemporaryDirectory(prefix="iolab-report-") as folder:
            Path(folder, "matplotlib.py").write_text("raise ImportError('planted')\n")
            ended = draw(self.results, Path(folder), PYTHONPATH=folder)
            self.assertEqual(ended.returncode, 4)
            self.assertIn("python3-matplotlib", ended.stderr)
            self.assertNotIn("Traceback", ended.stderr)
            page = (Path(folder) / "report.html").read_text()
            self.assertIn("python3-matplotlib", page)
            self.assertIn(escape(self.results["found"][0]["text"]), page)

    def test_refuses_what_it_cannot_read(self):
        """A broken or foreign results.json gives a stack trace instead of one sentence and exit code 3."""
        for content in ("{", '{"schema": "iolab-results-0"}', "[]"):
            with tempfile.TemporaryDirectory(prefix="iolab-report-") as folder:
                ended = draw(content, Path(folder))
                self.assertEqual(ended.returncode, 3, content)
                self.assertRegex(ended.stderr, r"\Areport: [^\n]+results\.json[^\n]+iolab report[^\n]+\n\Z")


if __name__ == "__main__":
    unittest.main()
