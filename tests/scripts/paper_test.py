"""The report on paper: on whole sheets, with nothing cut off or left behind, and to be read without its colours."""

import os
import re
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

import matplotlib.image

from browser import Browser, find_chromium
from example_run import ROOT, chinese, draw
from looks import everybody, most_alike, on_grey

sys.path.insert(0, str(ROOT / "scripts"))
from iolab_report import page
from iolab_report.edition import Edition
from iolab_report.results import read_results

A4_PT = (595, 842)
# What a sheet leaves between the page's margins of 14 mm, in pixels of 1/96 inch; the two long tables lie across.
UPRIGHT_PX, ACROSS_PX = 687, 1017
ACROSS = "#cells, [id$=-cells]"
MOST_SHEETS = 60
WIDER = """[...document.querySelectorAll('body *')].filter(one => one.offsetParent && !one.ownerSVGElement
  && !!one.closest('%s') == %s && one.getBoundingClientRect().right > %d + 1).map(one => one.outerHTML.slice(0, 60))"""
ALSO_OPEN = "[...document.querySelectorAll('details.also')].map(one => one.open)"
SIGN_PX = (216, 72)
# Every sign of the table of who is who by itself, large, on white, one below the other, as a print without colours.
SIGNS = f"""(() => {{
  const sheet = document.createElement('div');
  sheet.style = 'position:fixed; inset:0; background:#fff; z-index:9';
  const signs = [...document.querySelectorAll('main[lang=en] svg.swatch')];
  signs.forEach((sign, at) => {{
    const copy = sign.cloneNode(true);
    Object.assign(copy.style, {{position: 'absolute', left: 0, top: `${{at * {SIGN_PX[1]}}}px`,
                               width: '{SIGN_PX[0]}px', height: '{SIGN_PX[1]}px'}});
    sheet.append(copy);
  }});
  document.body.append(sheet);
  document.documentElement.style.filter = 'grayscale(1)';
  return signs.map(sign => sign.closest('tr').querySelector('th').textContent);
}})()"""


def sheets_of(pdf):
    """(width, height, the drawing orders) of each sheet of a PDF as Chromium writes it."""
    whole = dict(re.findall(rb"(?s)(?:\A|\n)(\d+) 0 obj\s?(.*?)\nendobj", pdf))
    for number, sheet in whole.items():
        if not re.search(rb"/Type\s*/Page\b", sheet):
            continue
        box = [float(edge) for edge in re.search(rb"/MediaBox\s*\[([^\]]*)\]", sheet).group(1).split()]
        stream = whole[re.search(rb"/Contents\s+(\d+) 0 R", sheet).group(1)]
        packed = re.search(rb"(?s)stream\r?\n(.*?)\r?\nendstream", stream).group(1)
        orders = zlib.decompress(packed) if b"/FlateDecode" in stream else packed
        yield box[2] - box[0], box[3] - box[1], orders


class OnPaper(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = find_chromium()
        if not program and not os.environ.get("IOLAB_REQUIRE_ALL_MODELS"):
            raise unittest.SkipTest("no chromium here; scripts/install_packages tests installs it")
        cls.folder = tempfile.TemporaryDirectory(prefix="iolab-paper-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.directory = Path(cls.folder.name)
        results = everybody()
        results["found"] *= 2  # some are then one click below the others
        drawn = draw(results, cls.directory, chinese(results))
        assert drawn.returncode == 0, drawn.stderr
        cls.page = (cls.directory / "report.html").as_uri()
        cls.browser = Browser(program)
        cls.addClassCleanup(cls.browser.close)

    def assert_fits_a_sheet(self, address):
        """Nothing is wider than the sheet that it is on; a printer would cut it off."""
        for language in ("", "#zh"):
            tab = self.browser.open(address + language, width=UPRIGHT_PX, height=1000)
            tab.lay_out_for_paper()
            for width, across in ((UPRIGHT_PX, "false"), (ACROSS_PX, "true")):
                tab.resize(width, 1000)
                wider = tab.evaluate(WIDER % (ACROSS, across, width))
                self.assertEqual(wider[:3], [], f"{address}{language}, {width} pixels")
            tab.close()

    def test_prints_on_whole_sheets(self):
        """Fails if the page prints as nothing, as a book, not on A4, or on a sheet with no more than a heading."""
        for language in ("", "#zh"):
            printed = self.directory / "printed.pdf"
            self.browser.open(self.page + language).save_print(printed)
            sheets = list(sheets_of(printed.read_bytes()))
            self.assertGreater(len(sheets), 3)
            self.assertLess(len(sheets), MOST_SHEETS)
            for width, height, orders in sheets:
                self.assertAlmostEqual(min(width, height), A4_PT[0], delta=1)
                self.assertAlmostEqual(max(width, height), A4_PT[1], delta=1)
                self.assertGreater(len(orders), 1000)
            self.assertLess(sheets[0][0], sheets[0][1])

    def test_prints_what_is_one_click_away(self):
        """Fails if findings that are folded on the screen are missing on paper, where nothing can be opened."""
        tab = self.browser.open(self.page)
        self.assertEqual(tab.evaluate(ALSO_OPEN), [False, False])
        tab.save_print(self.directory / "printed.pdf")
        self.assertEqual(tab.evaluate(ALSO_OPEN), [True, True])

    def test_nothing_is_cut_at_the_right(self):
        """Fails if a picture, a sentence or a table of the example is wider than a sheet."""
        self.assert_fits_a_sheet(self.page)

    def test_no_table_of_a_recorded_run_is_cut(self):
        """Fails if the tables of a real run, which have more columns than the example's, are wider than a sheet."""
        written = self.directory / "tables.html"
        runs = sorted((ROOT / "results/reference").glob("*/results.zh.json"))
        self.assertGreater(len(runs), 10)
        for run in runs:
            every = [read_results(run.with_name("results.json")), read_results(run)]
            written.write_text(page.render([Edition(results) for results in every]), encoding="utf-8")
            with self.subTest(run=run.parent.name):
                self.assert_fits_a_sheet(written.as_uri())

    def test_signs_can_be_told_apart_on_grey(self):
        """Fails if two models have the same sign in the table of who is who once the colours are gone."""
        tab = self.browser.open(self.page, width=400, height=1000)
        names = tab.evaluate(SIGNS)
        self.assertGreater(len(names), 11)
        shot = self.directory / "signs.png"
        tab.save_screenshot(shot)
        pixels = matplotlib.image.imread(shot)
        self.assertLess(abs(pixels[:, :, 0] - pixels[:, :, 2]).max(), 0.01, "the screenshot has colours")
        wide, tall = SIGN_PX
        signs = {
            name: on_grey(pixels[at * tall : (at + 1) * tall, :wide]) for at, name in enumerate(names)
        }
        share, *who = most_alike(signs)
        self.assertGreater(share, 0.1, who)


if __name__ == "__main__":
    unittest.main()
