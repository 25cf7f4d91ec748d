"""The page's own words: headings, buttons, heads of tables.

They come with each results file (`words`). A file that was written before a word existed takes it from the catalogue
beside this program, in its own language, so that old runs can still be drawn.
"""

import json
from html import escape
from pathlib import Path

CATALOGUES = Path(__file__).resolve().parents[2] / "experiments" / "catalogue"
PREFIX = "page."


class Words:
    def __init__(self, results):
        language = results["run"].get("language") or "en"
        self.words = {**_catalogue("en"), **_catalogue(language), **results.get("words", {})}

    def __call__(self, key, **slots):
        """The word as it is to be read; whoever puts it into markup escapes it."""
        word = self.words.get(PREFIX + key, key)
        for slot, text in slots.items():
            word = word.replace(f"{{{slot}}}", str(text))
        return word

    def html(self, key, **slots):
        return escape(self(key, **slots))

    def listed(self, prefix):
        """(rest of the key, word) of every word whose key begins so, in the order of the catalogue."""
        whole = PREFIX + prefix
        return [(key[len(whole) :], word) for key, word in self.words.items() if key.startswith(whole)]


def _catalogue(language):
    try:
        texts = json.loads((CATALOGUES / f"{language}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: text for key, text in texts.items() if key.startswith(PREFIX)}
