"""The report in two languages: both in one file, each with pictures in its own letters; and its colours by number."""

import json
import re
import subprocess
import sys
import tempfile
import unittest
from html import unescape
from pathlib import Path

from example_run import FOUND, ROOT, catalogue, chinese, draw, english

sys.path.insert(0, str(ROOT / "scripts"))
from iolab_report import blocks, page
from iolab_report.edition import Edition

MOST_BYTES = 3_000_000
# report.py on a machine that has no font for Chinese; said before the first figure asks which fonts there are.
NO_FONT = """
import sys
sys.path.insert(0, sys.argv[1])
from iolab_report import fonts
fonts.has_chinese = lambda: False
import report
sys.exit(report.main(sys.argv[2:]))
"""


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """As WCAG 2.2 defines it: 1 for equal colours, 21 for black on white."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_characters(families=None):
    """What the fonts that matplotlib was given, or these, can write."""
    from iolab_report import fonts
    from matplotlib import font_manager

    written = set()
    for family in families or fonts.families():
        path = font_manager.findfont(font_manager.FontProperties(family=[family]))
        written |= {chr(code) for code in font_manager.get_font(path).get_charmap()}
    return written


class LanguagesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="iolab-languages-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.directory = Path(cls.folder.name)
        cls.ended = draw(english(), cls.directory, chinese())
        cls.page = (cls.directory / "report.html").read_text(encoding="utf-8")

    def test_holds_both(self):
        """One of the two languages is not on the page, or its pictures are not drawn, or drawing them complains."""
        self.assertEqual((self.ended.returncode, self.ended.stderr), (0, ""))
        for tag in ("en", "zh-Hans"):
            self.assertEqual(self.page.count(f'<main lang="{tag}"'), 1)
        self.assertIn(FOUND, self.page)
        for chart in english()["charts"]:
            for name in (chart["id"], f"{chart['id']}.zh"):
                self.assertTrue((self.directory / f"figures/{name}.png").is_file())

    def test_is_small_enough_to_send(self):
        """The page with both languages is larger than what a mail takes without a thought."""
        self.assertLess(len(self.page.encode()), MOST_BYTES)

    def test_every_character_can_be_drawn(self):
        """A picture shows an empty box, because no chosen font has that character."""
        drawn = set("".join(re.findall(r"<text[^>]*>([^<]*)</text>", self.page)))
        self.assertIn("闲", drawn)
        texts = drawn | set("".join(catalogue("zh").values())) | set("".join(catalogue("en").values()))
        self.assertEqual(sorted(set(map(unescape, texts)) - readable_characters() - {"\n"}), [])

    def test_every_word_is_in_the_catalogue(self):
        """The page asks for a word that no catalogue has, and prints its key."""
        asked = set()
        for path in (ROOT / "scripts/iolab_report").glob("*.py"):
            asked |= set(re.findall(r"""words(?:\.html)?\(\s*["']([a-z_.]*[a-z_])["']""", path.read_text()))
        asked |= {f"section.{name}" for name in blocks.NAMES} | {f"nothing.{name}" for name in blocks.NAMES}
        self.assertGreater(len(asked), 50)
        self.assertEqual([key for key in sorted(asked) if f"page.{key}" not in catalogue("zh")], [])

    def test_an_old_run_takes_its_words_from_the_catalogue(self):
        """A file that was written before a word existed shows the key of that word, or the word in English."""
        old = json.loads(json.dumps({**chinese(), "words": {}}))
        self.assertEqual(Edition(old).words("theme"), catalogue("zh")["page.theme"])

    def test_eleven_blocks_in_order(self):
        """A block is missing, stands at another place, or skips a level of heading."""
        wanted = ["predict", *blocks.NAMES]
        self.assertEqual(re.findall(r'<section class="block [^"]*" id="([a-z_]+)"', self.page)[:12], wanted)
        levels = [int(level) for level in re.findall(r"<h([1-6])>", self.page)]
        jumps = [(one, other) for one, other in zip(levels, levels[1:]) if other > one + 1]
        self.assertEqual(jumps, [])

    def test_every_table_says_what_it_is(self):
        """A table has no caption, or a head that does not say what it is the head of."""
        for table in re.findall(r"<table.*?</table>", self.page, re.DOTALL):
            self.assertIn("<caption>", table[:80])
            self.assertNotRegex(table, r"<th(?! scope)[ >]")

    def test_colours_can_be_told_apart(self):
        """Text has a contrast below 4.5, or the edge of a button one below 3, in the light or the dark."""
        for theme in (page.LIGHT, page.DARK):
            for behind in ("page", "card"):
                for ink in ("ink", "soft", "accent"):
                    self.assertGreaterEqual(contrast(theme[ink], theme[behind]), 4.5, (ink, behind))
                for graphic in ("edge", "warn"):
                    self.assertGreaterEqual(contrast(theme[graphic], theme[behind]), 3, (graphic, behind))

    def test_series_can_be_told_apart_on_grey(self):
        """Two series have the same marker and the same dash, and are one line on a grey print."""
        signs = [(series["marker"], str(series["dash"])) for series in english()["series"]]
        self.assertEqual(len(signs), len(set(signs)))

    def test_own_scripts_are_short(self):
        """The page's scripts grow beyond what a reader of its source reads."""
        lines = sum(len(path.read_text().splitlines()) for path in (ROOT / "scripts/iolab_report").glob("*.js"))
        self.assertLessEqual(lines, 300)


class WithoutChineseFontTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="iolab-no-font-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.directory = Path(cls.folder.name)
        for name, content in (("results.json", english()), ("results.zh.json", chinese())):
            (cls.directory / name).write_text(json.dumps(content), encoding="utf-8")
        cls.ended = subprocess.run(
            [sys.executable, "-B", "-c", NO_FONT, str(ROOT / "scripts"), str(cls.directory)],
            capture_output=True, text=True, timeout=250, check=False,
        )  # fmt: skip
        cls.page = (cls.directory / "report.html").read_text(encoding="utf-8")
        cls.edition = dict(zip(("en", "zh"), re.findall(r"(?s)<main lang.*?</main>", cls.page), strict=True))

    def test_draws_all_the_same(self):
        """Fails if a machine without a Chinese font gets no report, or one of letters that complain while drawn."""
        self.assertEqual((self.ended.returncode, self.ended.stderr), (0, ""))
        drawn = {path.name for path in (self.directory / "figures").iterdir()}
        names = {chart["id"] for chart in english()["charts"]}
        self.assertEqual(drawn, {f"{name}.{kind}" for name in names for kind in ("png", "svg")})

    def test_says_what_is_missing(self):
        """Fails if a Chinese page with English pictures does not say why, or the English one complains as well."""
        self.assertIn("fonts-wqy-microhei", catalogue("zh")["page.no_font"])
        self.assertIn(catalogue("zh")["page.no_font"], self.edition["zh"])
        self.assertNotIn("fonts-wqy-microhei", self.edition["en"])

    def test_speaks_chinese_around_english_pictures(self):
        """Fails if a picture has an empty box instead of a Chinese letter, or the page loses its language with them."""
        for edition in self.edition.values():
            self.assertEqual(edition.count('<svg class="wide"'), len(english()["charts"]))
            written = map(unescape, "".join(re.findall(r"<text[^>]*>([^<]*)</text>", edition)))
            self.assertEqual(sorted(set(written) - readable_characters(["DejaVu Sans"]) - {"\n"}), [])
        self.assertIn(FOUND, self.edition["zh"])
        self.assertIn(chinese()["charts"][0]["title"], self.edition["zh"])

    def test_pictures_that_are_there_twice_do_not_share_parts(self):
        """Fails if the Chinese page's copies of the pictures take marks and borders from those that are hidden."""
        names = re.findall(r' id="([^"]*)"', self.page)
        self.assertEqual(sorted({name for name in names if names.count(name) > 1}), [])


if __name__ == "__main__":
    unittest.main()
