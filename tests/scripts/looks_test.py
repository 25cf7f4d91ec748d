"""How models are drawn: one table for every figure, and no colour needed to read it. A failure here means that two
figures disagree about who is who, or that a grey print does not say it."""

import io
import itertools
import json
import re
import sys
import unittest

import matplotlib.image

from example_run import ROOT, english
from looks import LOOKS, MEMBERS, lightness, look_of, most_alike, on_grey

sys.path.insert(0, str(ROOT / "scripts"))
from iolab_report import bars, canvas, lines, swatch

FAMILIES = {
    "blocking": "#000000", "nonblocking": "#D55E00", "select": "#CC79A7", "poll": "#E69F00", "epoll": "#0072B2",
    "sigio": "#56B4E9", "io_uring": "#009E73", "posix-aio": "#999999",
}  # fmt: skip
STRIP = canvas.Sheet("strip", 240, 60, 18, titled=False, margin=0, line=1.25)
PLAIN_AS_EACH_OTHER = 0.1  # two greys nearer than this, from black to white, are one grey on paper


def table_of_the_program():
    """The table that `iolab` writes into every results.json, read from its source."""
    text = (ROOT / "experiments/machine/models.cpp").read_text(encoding="utf-8")
    inks = dict(re.findall(r'std::string_view (k\w+) = "(#[0-9A-F]{6})";', text))
    row = r'Look\{"([\w-]+)", (k\w+), "([^"]+)", "(\w*)", "([^"]*)", ([\d.]+)(?:, \{([\d., ]+)\})?\}'
    return {
        model: (
            inks[ink],
            marker,
            dash or [float(part) for part in intervals.split(",")],
            hatch.replace("\\\\", "\\"),
            float(width),
        )
        for model, ink, marker, dash, hatch, width, intervals in re.findall(row, text)
    }


def recorded_runs():
    """The runs of the reference; one that is older than the Chinese words was drawn by an older table, too."""
    for path in sorted((ROOT / "results/reference").glob("*/results.json")):
        if path.with_name("results.zh.json").exists():
            yield path.parent.name, json.loads(path.read_text(encoding="utf-8"))


def strip_of(draw):
    """What `draw` puts on a strip of paper, on grey."""
    drawn = canvas.Canvas(STRIP)
    axes = drawn.axes(0, 0, drawn.width, drawn.height)
    canvas.plain_axes(axes)
    axes.set(xticks=(), yticks=(), xlim=(0, 3), ylim=(-0.5, 0.5))
    draw(axes)
    file = io.BytesIO()
    drawn.save_png(file)
    file.seek(0)
    return on_grey(matplotlib.image.imread(file, format="png"))


def line_of(style):
    points = [{"at": at, "value": 0, "values": []} for at in (0.5, 1.5, 2.5)]
    return strip_of(lambda axes: lines._draw_series(axes, {"id": "a", "points": points}, style, STRIP))


def bar_of(style):
    bar = {"series": "a", "label": "a", "value": 3, "text": ""}
    return strip_of(lambda axes: bars._draw_whole(axes, 0, bar, style, 0, STRIP))


class Table(unittest.TestCase):
    def test_is_the_one_that_readers_know(self):
        """Fails if a model changes its colour, marker, dash or hatch, so that two years' figures cannot be compared."""
        self.assertEqual(table_of_the_program(), LOOKS)

    def test_colours_are_those_of_the_families(self):
        """Fails if a family has no colour of its own, or a variant leaves that of its family."""
        for model, look in LOOKS.items():
            family = max((name for name in FAMILIES if model.startswith(name)), key=len)
            self.assertEqual(look[0], FAMILIES[family], model)
        self.assertEqual(len(set(FAMILIES.values())), len(FAMILIES))

    def test_recorded_runs_are_drawn_by_it(self):
        """Fails if a figure of the reference shows a model in a look that is no longer its own."""
        compared = 0
        for run, results in recorded_runs():
            for series in results["series"]:
                if series["role"] == "model" and series["id"] in LOOKS:
                    look = {member: series[member] for member in MEMBERS}
                    self.assertEqual(look, look_of(series["id"]), f"{series['id']} in {run}")
                    compared += 1
        self.assertGreater(compared, 50)

    def test_every_sign_is_known_to_the_page(self):
        """Fails if the table of who is who shows a circle or a whole line for a series that is drawn otherwise."""
        every = [series for _, results in recorded_runs() for series in results["series"]] + english()["series"]
        self.assertEqual({series["marker"] for series in every} - set(swatch.SHAPES), set())
        dashes = {series["dash"] for series in every if isinstance(series["dash"], str)}
        self.assertEqual(dashes - set(swatch.DASHES), set())
        self.assertEqual(len(set(swatch.SHAPES.values())), len(swatch.SHAPES))


class OnGrey(unittest.TestCase):
    def test_every_model_has_a_marker_of_its_own(self):
        """Fails if two models have one marker: where their lines cross, a grey print does not say which is which."""
        self.assertEqual(len({look[1] for look in LOOKS.values()}), len(LOOKS))

    def test_series_of_a_recorded_run_can_be_told_apart(self):
        """Fails if two series of one run, variants and second entries among them, share marker, dash and grey."""
        alike = {
            (run, one["id"], other["id"])
            for run, results in recorded_runs()
            for one, other in itertools.combinations(results["series"], 2)
            if (one["marker"], one["dash"]) == (other["marker"], other["dash"])
            and abs(lightness(one["color"]) - lightness(other["color"])) < PLAIN_AS_EACH_OTHER
        }
        self.assertEqual(alike, set())

    def test_bars_have_a_hatch_or_a_grey_of_their_own(self):
        """Fails if two models' bars are the same grey under the same hatch."""
        for one, other in itertools.combinations(LOOKS, 2):
            if LOOKS[one][3] == LOOKS[other][3]:
                apart = abs(lightness(LOOKS[one][0]) - lightness(LOOKS[other][0]))
                self.assertGreater(apart, PLAIN_AS_EACH_OTHER, f"{one} and {other}")

    def test_pieces_have_a_hatch_or_a_grey_of_their_own(self):
        """Fails if two kinds of piece in a stack or a timeline differ in nothing but hue."""
        compared = 0
        for run, results in recorded_runs():
            for chart in results["charts"]:
                pieces = [piece for piece in chart.get("parts", []) + chart.get("states", []) if "color" in piece]
                looks = sorted({(piece["hatch"], piece["color"]) for piece in pieces})
                for (hatch, one), (same, other) in itertools.combinations(looks, 2):
                    apart = abs(lightness(one) - lightness(other))
                    compared += 1
                    self.assertTrue(
                        hatch != same or apart > PLAIN_AS_EACH_OTHER, f"{run}, {chart['id']}: {one} and {other}"
                    )
        self.assertGreater(compared, 100)

    def test_drawn_lines_differ(self):
        """Fails if the lines of two models, drawn as in a figure, are one line on grey."""
        styles = {model: {**look_of(model), "role": "model", "label": model} for model in LOOKS}
        styles["epoll (again)"] = {**styles["epoll"], "role": "again", "dash": [4, 2], "line_width": 1.2}
        share, *who = most_alike({name: line_of(style) for name, style in styles.items()})
        self.assertGreater(share, 0.1, who)

    def test_drawn_bars_differ(self):
        """Fails if the bars of two models, drawn as in a figure, are one bar on grey."""
        styles = {model: {**look_of(model), "role": "model"} for model in LOOKS}
        styles["epoll (again)"] = {**styles["epoll"], "role": "again"}
        share, *who = most_alike({name: bar_of(style) for name, style in styles.items()})
        self.assertGreater(share, 0.05, who)


if __name__ == "__main__":
    unittest.main()
