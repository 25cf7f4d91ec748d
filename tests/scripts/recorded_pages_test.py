"""The pages of the recorded runs, as they lie in the repository and are sent around: each small, whole by itself, and
readable on a phone in both languages. A failure here means that what was published is worse than what a test draws."""

import os
import re
import unittest

from browser import Browser, find_chromium
from example_run import ROOT

RUNS = sorted(path.parent for path in (ROOT / "results/reference").glob("*/results.json"))
PAGES = [run / "report.html" for run in RUNS] + [ROOT / "results/reference/claims/claims.html"]
MOST_BYTES = 3_000_000
PHONE_PX = 360
TAGS = {"": "en", "#zh": "zh-Hans"}
ADDRESS = re.compile(
    r"""(?<![\w-])(?:src|srcset|href|xlink:href|action|formaction|poster|data|background|manifest)\s*=\s*["']([^"']*)"""
)
SHOWN = "[...document.querySelectorAll('main, .edition')].filter(one => one.offsetParent).map(one => one.lang).join()"


def languages_of(page):
    """A run that is older than the Chinese words has one language, and its page is the same under both addresses."""
    both = page.with_name("results.zh.json").exists() or page.with_name("claims.zh.json").exists()
    return TAGS if both else dict.fromkeys(TAGS, "en")


class Files(unittest.TestCase):
    def test_every_run_has_its_page(self):
        """Fails if a recorded run has no page, or most of them are gone so that the tests below look at nothing."""
        self.assertEqual([page for page in PAGES if not page.is_file()], [])
        self.assertGreater(len(PAGES), 20)
        self.assertGreater(sum(languages_of(page) is TAGS for page in PAGES), 20)

    def test_is_small_enough_to_send(self):
        """Fails if a page is larger than what a mail takes without a thought."""
        sizes = {page.parent.name: page.stat().st_size for page in PAGES}
        self.assertEqual({name: size for name, size in sizes.items() if size >= MOST_BYTES}, {})

    def test_names_nothing_to_be_fetched(self):
        """Fails if an attribute or a rule of a page has an address outside of it, but for the table beside it."""
        for page in PAGES:
            text = page.read_text(encoding="utf-8")
            addresses = {address for address in ADDRESS.findall(text) if not address.startswith("#")}
            # The page of claims leads to the reports beside it.
            beside = {address for address in addresses if address.startswith("../")}
            self.assertEqual([one for one in beside if not (page.parent / one.split("#")[0]).is_file()], [])
            addresses -= beside
            self.assertLessEqual(addresses, {"data.csv"}, page.parent.name)
            self.assertTrue("data.csv" not in addresses or page.with_name("data.csv").is_file(), page.parent.name)
            self.assertNotRegex(text, r"@import|url\((?!#)|<(?:base|iframe|object|embed)\b", page.parent.name)


class OnAPhone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        program = find_chromium()
        if not program and not os.environ.get("IOLAB_REQUIRE_ALL_MODELS"):
            raise unittest.SkipTest("no chromium here; scripts/install_packages tests installs it")
        cls.browser = Browser(program)
        cls.addClassCleanup(cls.browser.close)

    def test_opens_and_fits_in_both_languages(self):
        """Fails if a page can be moved sideways on a phone, speaks another language than it was asked to, asks for
        something outside of itself, or has a complaint in the console."""
        for page in PAGES:
            for end, tag in languages_of(page).items():
                tab = self.browser.open(page.as_uri() + end, width=PHONE_PX, height=740)
                with self.subTest(page=page.parent.name + end):
                    self.assertLessEqual(tab.evaluate("document.documentElement.scrollWidth"), PHONE_PX)
                    self.assertEqual(tab.evaluate(SHOWN), tag)
                    self.assertEqual(tab.requested(), [page.as_uri()])
                    self.assertEqual(tab.complaints(), [])
                tab.close()


if __name__ == "__main__":
    unittest.main()
