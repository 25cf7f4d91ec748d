"""The report in a real browser: fetches nothing, fits a phone, and can be read, switched and shown to a room."""

import os
import tempfile
import unittest
from pathlib import Path

from browser import Browser, find_chromium
from example_run import FOUND, chinese, draw, english

VISIBLE_MAIN = "[...document.querySelectorAll('main')].filter(one => one.offsetParent).map(one => one.lang).join()"
SHOWN_SCREENS = "[...document.querySelectorAll('main header, section.block')].filter(one => one.offsetParent)"
SHOWN_PICTURES = "[...document.querySelectorAll('svg.wide')].filter(one => one.clientWidth).length"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
# What a page could try, and by which part of the policy it is refused.
AWAY = "http://127.0.0.1:9/"
FORBIDDEN = {
    f"new Image().src = '{AWAY}'": "img-src",
    f"fetch('{AWAY}').catch(() => {{}})": "connect-src",
    f"document.head.append(Object.assign(document.createElement('script'), {{src: '{AWAY}'}}))": "script-src-elem",
    f"document.body.append(Object.assign(document.createElement('iframe'), {{src: '{AWAY}'}}))": "frame-src",
}
REFUSED = """new Promise((done) => {
  addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective), {once: true});
  setTimeout(() => done('allowed'), 5000);
  %s;
})"""


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = find_chromium()
        if not program and not os.environ.get("IOLAB_REQUIRE_ALL_MODELS"):
            raise unittest.SkipTest("no chromium here; scripts/install_packages tests installs it")
        cls.folder = tempfile.TemporaryDirectory(prefix="iolab-browser-test-")
        cls.addClassCleanup(cls.folder.cleanup)
        directory = Path(cls.folder.name)
        cls.results = english()
        drawn = draw(cls.results, directory, chinese())
        assert drawn.returncode == 0, drawn.stderr
        cls.page = (directory / "report.html").as_uri()
        cls.browser = Browser(program)
        cls.addClassCleanup(cls.browser.close)

    def test_fetches_nothing_and_complains_of_nothing(self):
        """The page asks for something outside of itself, or a script of it fails."""
        tab = self.browser.open(self.page)
        for key in ("p", "PageDown", "PageDown", "p"):
            tab.press(key)
        tab.click("th button")
        self.assertEqual(tab.requested(), [self.page])
        self.assertEqual(tab.complaints(), [])

    def test_opens_offline(self):
        """Fails if a part of the page is missing, or asked for, where there is no network."""
        tab = self.browser.open(self.page, offline=True)
        self.assertFalse(tab.evaluate("navigator.onLine"))
        for language in ("en", "zh"):
            tab.click(f"label[for=speak-{language}]")
            self.assertGreater(tab.evaluate(f"{SHOWN_SCREENS}.length"), 5)
            self.assertGreater(tab.evaluate(SHOWN_PICTURES), 2)
        self.assertEqual(tab.requested(), [self.page])
        self.assertEqual(tab.heard("Network.loadingFailed"), [])
        self.assertEqual(tab.complaints(), [])

    def test_may_not_fetch(self):
        """Fails if the page's policy allows more than it needs, comes too late for a part of it, or is not obeyed."""
        tab = self.browser.open(self.page, offline=True)
        policy = "document.querySelector('meta[http-equiv=Content-Security-Policy]')"
        self.assertEqual(tab.evaluate(f"{policy}.content"), POLICY)
        later = f"{policy}.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING"
        parts = "[...document.querySelectorAll('style, script, link, svg, body')]"
        self.assertGreater(tab.evaluate(f"{parts}.length"), 3)
        self.assertEqual(tab.evaluate(f"{parts}.filter(one => !({later})).map(one => one.tagName)"), [])
        for attempt, directive in FORBIDDEN.items():
            self.assertEqual(tab.evaluate(REFUSED % attempt, waits=True), directive, attempt)

    def test_fits_a_phone(self):
        """The page can be moved sideways on a screen of 360 pixels."""
        for language in ("", "#zh"):
            tab = self.browser.open(self.page + language, width=360, height=740)
            self.assertLessEqual(tab.evaluate("document.documentElement.scrollWidth"), 360)

    def test_answers_without_scripts_on_the_first_screen(self):
        """The answer needs scripts, or scrolling on a projector of 1280 x 720."""
        tab = self.browser.open(self.page, scripts=False)
        self.assertIn(self.results["found"][0]["text"], tab.evaluate("document.body.innerText"))
        bottom = "document.querySelector('#answer .found li:nth-child(3)').getBoundingClientRect().bottom"
        self.assertLess(tab.evaluate(bottom), 720)
        self.assertEqual(tab.evaluate("[...document.querySelectorAll('button')].filter(one => one.offsetParent)"), [])

    def test_covers_the_answer_until_a_reader_has_guessed(self):
        """The answer is seen before anybody could guess, or a guess does not show it, or a reader without a screen,
        without scripts or with paper never gets it."""
        opacity = "getComputedStyle(document.querySelector('#answer')).opacity"
        for way in ("#predict label", "#predict button"):
            tab = self.browser.open(self.page)
            self.assertEqual(tab.evaluate(opacity), "0")
            self.assertIn(self.results["found"][0]["text"], tab.evaluate("document.body.innerText"))
            tab.click(way)
            self.assertEqual(tab.evaluate(opacity), "1")
            self.assertFalse(tab.evaluate("!!document.querySelector('#predict button').offsetParent"))
        self.assertEqual(self.browser.open(self.page, scripts=False).evaluate(opacity), "1")
        for end in ("#cells", "#projector"):
            self.assertEqual(self.browser.open(self.page + end).evaluate(opacity), "1")
        tab = self.browser.open(self.page)
        tab.evaluate("document.querySelector('#answer a').focus()")
        self.assertEqual(tab.evaluate(opacity), "1")
        tab.lay_out_for_paper()
        self.assertEqual(tab.evaluate(opacity), "1")

    def test_speaks_chinese_without_scripts(self):
        """The switch needs scripts, or leaves the other language on the page."""
        tab = self.browser.open(self.page, scripts=False)
        self.assertEqual(tab.evaluate(VISIBLE_MAIN), "en")
        tab.click("label[for=speak-zh]")
        self.assertEqual(tab.evaluate(VISIBLE_MAIN), "zh-Hans")
        self.assertIn(FOUND, tab.evaluate("document.body.innerText"))

    def test_sorts_a_table(self):
        """A click on a head leaves the rows as they were, or does not say how they are sorted."""
        tab = self.browser.open(self.page)
        values = (
            "[...document.querySelector('table.dense').tBodies[0].rows]"
            ".map(row => row.cells[2]?.dataset.value).filter(Boolean).map(Number)"
        )
        before = tab.evaluate(values)
        tab.evaluate("document.querySelectorAll('table.dense th button')[2].click()")
        self.assertEqual(tab.evaluate(values), sorted(before))
        self.assertNotEqual(before, sorted(before))
        self.assertEqual(tab.evaluate("document.querySelectorAll('table.dense [aria-sort=ascending]').length"), 1)

    def test_shows_one_screen_at_a_time(self):
        """Projector mode shows two blocks at once, cuts one off at the side, or cannot be left."""
        for width, height in ((1280, 720), (1024, 768)):
            tab = self.browser.open(self.page + "#projector", width=width, height=height)
            seen = set()
            for _ in range(60):
                self.assertEqual(tab.evaluate(f"{SHOWN_SCREENS}.length"), 1)
                self.assertLessEqual(tab.evaluate("document.documentElement.scrollWidth"), width)
                seen.add(tab.evaluate("document.getElementById('place').textContent"))
                tab.press("PageDown")
            self.assertGreater(len(seen), 5)
            self.assertIn("example", tab.evaluate("document.getElementById('source').innerText"))
            tab.press("Escape")
            self.assertGreater(tab.evaluate(f"{SHOWN_SCREENS}.length"), 5)

    def test_reveals_a_picture_in_steps(self):
        """The finding stands there before the room could guess, or going back does not hide it again."""
        tab = self.browser.open(self.page + "#projector")
        phase = "document.querySelector('main .now figure:not(.waiting)')?.dataset.phase"
        for _ in range(20):
            tab.press("ArrowRight")
            if tab.evaluate(phase):
                break
        seen = []
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
            seen.append(tab.evaluate(phase))
            tab.press(key)
        self.assertEqual(seen + [tab.evaluate(phase)], ["axes", "data", "found", "data"])

    def test_a_picture_can_be_read_from_the_last_row(self):
        """Text of a chart is smaller than 20 pixels on a projector of 1280 x 720."""
        tab = self.browser.open(self.page + "#projector")
        sizes = (
            "[...document.querySelectorAll('main .now figure:not(.waiting) svg.slide text')].map(text => "
            "parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"
        )
        smallest = []
        for _ in range(60):
            smallest += tab.evaluate(sizes)[:200]
            tab.press("PageDown")
        self.assertGreater(len(smallest), 50)
        self.assertGreaterEqual(min(smallest), 20)

    def test_headings_skip_no_level(self):
        """Someone who goes from heading to heading falls from a title to a detail."""
        tab = self.browser.open(self.page)
        headings = "[...document.querySelectorAll('h1, h2, h3, h4')].filter(one => one.offsetParent)"
        levels = tab.evaluate(headings + ".map(one => Number(one.tagName[1]))")
        self.assertEqual(levels[:1], [1])
        self.assertEqual([pair for pair in zip(levels, levels[1:]) if pair[1] - pair[0] > 1], [])

    def test_follows_a_dark_screen(self):
        """On a dark screen the page or the paper of its pictures stays bright."""
        ground = "getComputedStyle(document.body).backgroundColor"
        paper = "getComputedStyle(document.documentElement).getPropertyValue('--cffffff')"
        light, dark = self.browser.open(self.page), self.browser.open(self.page, dark=True)
        for colour in (ground, paper):
            self.assertNotEqual(light.evaluate(colour), dark.evaluate(colour))

    def test_targets_can_be_hit(self):
        """A button, a switch or a link outside of running text is smaller than 24 pixels."""
        tab = self.browser.open(self.page)
        small = tab.evaluate(
            "[...document.querySelectorAll('button, label, summary, nav a, .evidence a, .more a')]"
            ".filter(one => one.offsetParent).map(one => [one.outerHTML.slice(0, 80), "
            "one.getBoundingClientRect().width, one.getBoundingClientRect().height])"
            ".filter(([, width, height]) => width < 24 || height < 24)"
        )
        self.assertEqual(small, [])


if __name__ == "__main__":
    unittest.main()
