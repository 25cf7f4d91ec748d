"""One language's edition of the page: the results in that language, its words, its pictures."""

from dataclasses import dataclass, field

from .results import series_by_id
from .words import Words

TAGS = {"en": "en", "zh": "zh-Hans"}  # what the attribute `lang` says of a text in this language


@dataclass
class Edition:
    results: dict
    pictures: dict = field(default_factory=dict)  # chart id to its inline pictures
    complaints: list = field(default_factory=list)  # sentences: what is missing from this edition, and why
    csv: str = ""  # address of data.csv, seen from the page; empty if there is none

    def __post_init__(self):
        language = self.results["run"].get("language")
        self.language = language if language in TAGS else "en"  # it becomes part of the page's markup
        self.tag = TAGS[self.language]
        self.words = Words(self.results)
        self.series = series_by_id(self.results)

    def anchor(self, name):
        """Ids are unique on the page, which holds every edition."""
        return name if self.language == "en" else f"{self.language}-{name}"

    def charts(self, role):
        """The charts of one block, see `role_of`."""
        return [chart for at, chart in enumerate(self.results["charts"]) if role_of(chart, at) == role]

    def tables(self, name):
        return [table for table in self.results["tables"] if table["id"] == name]


def role_of(chart, place):
    """Which block of the page a chart belongs to."""
    if chart["kind"] == "forest":
        return "how_sure"
    if chart["kind"] in ("timeline", "ladder"):
        return "one_request"
    for role in ("limits", "tail", "map"):
        if role in (chart["id"], chart["kind"]):
            return role
    if place == 0:
        return "picture"
    if chart["id"].startswith(("latency_p9", "latency_max")):
        return "tail"
    return "time_and_cpu"
