#!/usr/bin/env python3
"""The catalogues against the code that speaks from them: every key that is said exists, every template is said
somewhere, and the slots that the code fills are those that the template has."""

import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Said by a key that is put together: an id follows the prefix. Which ids there are is tested in words_test.cpp.
PUT_TOGETHER = (
    "axis.", "better.", "family.", "flag.", "help.", "judged.", "level.", "limit.", "mark.", "metric.",
    "metric_short.", "page.", "self.", "status.", "think.", "word.", "recorded.ceiling.", "recorded.group.",
    "recorded.model.", "recorded.session.",
    "recorded.timeline.", "recorded.ladder.", "trace.", "effects.", "claim.",
)
# One English term, one Chinese term: what a reader learns in one sentence is called the same in the next.
GLOSSARY = {
    r"system calls?": "系统调用", r"wake-ups?|woken": "唤醒", r"idle": "空闲", r"threads?": "线程", r"kernel": "内核",
    r"blocking": "阻塞", r"multiplexing": "多路复用", r"signal-driven": "信号驱动", r"asynchronous": "异步",
    r"requests?": "请求", r"records?": "记录", r"connections?": "连接", r"latency|latencies": "延迟",
    r"medians?": "中位数", r"intervals?": "区间", r"trials?": "试验", r"cells?": "单元", r"baseline": "基线",
    r"noise": "噪声", r"(?<!KiB )blocks?": "区组", r"ratios?": "比值", r"too close": "难分高下",
    r"load generator": "负载发生器", r"ceilings?": "上限", r"closed loop": "闭环", r"open loop": "开环",
    r"loopback": "回环", r"page cache": "页缓存", r"warms? up": "预热", r"steal|stole|stolen": "窃取",
}
SLOT = re.compile(r"\{(\w+)(?:\|[^{}]*)?\}")


def slots_of(template):
    return {name[0].lower() + name[1:] for name in SLOT.findall(template)}


def closing(text, at):
    """Where the bracket that opens at `at` is closed."""
    depth, quoted = 0, False
    while True:
        if text[at] == "\\" and quoted:
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif not quoted and text[at] in "({":
            depth += 1
        elif not quoted and text[at] in ")}":
            depth -= 1
            if depth == 0:
                return at
        at += 1


def sayings(text):
    """(key, slots or None) of every saying; None where a slot is a variable, so that its name stands elsewhere."""
    for match in re.finditer(r"\b(say|recorded)\((?=\"|[\w.]+ (?:[<>=!]=?|\?)|[a-z_]+ \?)", text):
        whole = text[match.end() : closing(text, match.end() - 1)]
        comma = outer_comma(whole)
        first, rest = whole[:comma], whole[comma:]
        for key in re.findall(r'"([a-z_]+\.[\w.-]+)"', first):
            prefix = "recorded." if match.group(1) == "recorded" else ""
            yield prefix + key, given_slots(rest)


def outer_comma(text):
    depth = 0
    for at, char in enumerate(text):
        depth += (char in "({") - (char in ")}")
        if char == "," and depth == 0:
            return at
    return len(text)


def given_slots(rest):
    """The names at depth two of `, {{"a", x}, {"b", y}}`; None if a slot stands there as a variable."""
    names, depth, at = set(), 0, 0
    while at < len(rest):
        char = rest[at]
        if char == '"':
            end = re.compile(r'"(?:\\.|[^"\\])*"').match(rest, at).end()
            if depth == 2 and rest[:at].rstrip().endswith("{"):
                names.add(rest[at + 1 : end - 1])
            at = end
            continue
        if depth == 1 and re.match(r"[a-z_]", char):
            return None
        depth += (char in "({") - (char in ")}")
        at += 1
    return names


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = ROOT / "experiments" / "catalogue"
        cls.english = json.loads((folder / "en.json").read_text(encoding="utf-8"))
        cls.chinese = json.loads((folder / "zh.json").read_text(encoding="utf-8"))
        cls.sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "experiments").rglob("*.cpp")}

    def test_every_saying_has_its_template(self):
        """Fails if the program would end with a bug: a key that no catalogue holds, or a slot too many or too few."""
        found = 0
        for path, text in self.sources.items():
            for key, given in sayings(text):
                found += 1
                self.assertIn(key, self.english, f"{path.name} says it")
                if given is not None:
                    self.assertEqual(given, slots_of(self.english[key]), f"{path.name} says {key}")
        self.assertGreater(found, 120)

    def test_every_template_is_said(self):
        """Fails if a template was left behind by a rule that is gone."""
        said = {word for text in self.sources.values() for word in re.findall(r'"([\w.-]+\.[\w.-]+)"', text)}
        for key in self.english:
            short = key.removeprefix("recorded.")
            self.assertTrue(key in said or short in said or key.startswith(PUT_TOGETHER), f"nobody says {key}")

    def test_terms_are_those_of_the_glossary(self):
        """Fails if one thing has two names in Chinese."""
        for key, template in self.english.items():
            plain = SLOT.sub("_", re.sub(r"\{\w+\|[^{}|]*\|([^{}]*)\}", r"\1", template))
            for term, chinese in GLOSSARY.items():
                if re.search(rf"\b(?:{term})\b", plain, re.IGNORECASE):
                    self.assertIn(chinese, self.chinese[key], f"{key} speaks of {term}: {self.chinese[key]}")

    def test_no_key_stands_twice(self):
        """Fails if JSON silently keeps the last of two templates of one key."""
        for name in ("en", "zh"):
            text = (ROOT / "experiments" / "catalogue" / f"{name}.json").read_text(encoding="utf-8")
            keys = re.findall(r'^  "([^"]+)": ', text, re.MULTILINE)
            self.assertEqual(len(keys), len(set(keys)), name)
            self.assertEqual(keys, list(self.english), f"{name}.json is in the order of en.json")


if __name__ == "__main__":
    unittest.main()
