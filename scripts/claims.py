#!/usr/bin/env python3
"""The page of `iolab claims`: every claim of the textbook with its verdict, in both languages, in one file.

  scripts/claims.py DIRECTORY     reads claims.json and claims.zh.json there, writes claims.html

Computes nothing: verdicts, figures and sentences were written by `iolab`. The page opens offline, asks nobody for
anything, and is whole with scripts switched off: both languages are then shown, one under the other.
"""

import json
import sys
from html import escape
from pathlib import Path

from iolab_report.tables import cell_anchor

RULINGS = ("supported", "only_if", "contradicted", "cannot_say", "definitional", "historical")
SIGNS = dict(zip(RULINGS, "✓◐✗?=§", strict=True))
STANDINGS = {"holds": "✓", "fails": "✗", "open": "~", "missing": "?"}
STYLE = """
:root { --ink: #1b1f24; --soft: #59616b; --paper: #fff; --line: #d5d9de; --lane: #f4f5f7; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaed; --soft: #a8b0b8; --paper: #14171a; --line: #343a40; --lane: #1d2125; }
}
body { margin: 0 auto; padding: 1.2rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 17px/1.5 system-ui, "WenQuanYi Micro Hei", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { margin-top: 2.2rem; border-bottom: 2px solid var(--line); }
p.how, p.machine { color: var(--soft); }
article { margin: 1rem 0; padding: .8rem 1rem; border: 1px solid var(--line); border-left-width: .5rem; }
article h3 { margin: 0; font-size: 1.05rem; font-weight: 600; }
article p { margin: .3rem 0; } .id { color: var(--soft); font-weight: 400; }
.verdict { font-weight: 700; } .test, .command, li { color: var(--soft); font-size: .92rem; }
.heading { font-size: .92rem; font-weight: 600; } details { font-size: .86rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .86rem; }
td, th { padding: .2rem .6rem; border: 1px solid var(--line); text-align: left; }
code { overflow-wrap: anywhere; }
ul { margin: .3rem 0; padding-left: 1.2rem; } li { overflow-wrap: anywhere; }
.supported { border-left-color: #009e73; } .only_if { border-left-color: #e69f00; }
.contradicted { border-left-color: #d55e00; } .cannot_say { border-left-color: #999; }
.definitional, .historical { border-left-color: #56b4e9; }
nav { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; }
nav button, nav span { font: inherit; padding: .2rem .7rem; border: 1px solid var(--line); background: var(--lane);
  color: var(--ink); }
body[data-language="en"] [lang="zh-Hans"].edition, body[data-language="zh"] [lang="en"].edition { display: none; }
@media print { nav button { display: none; } article { break-inside: avoid; } }
"""
SCRIPT = """
const choose = (language) => { document.body.dataset.language = language; };
document.querySelectorAll('button[data-to]').forEach((button) => {
  button.hidden = false;
  button.addEventListener('click', () => choose(button.dataset.to));
});
choose(location.hash === '#zh' ? 'zh' : 'en');
"""


def trials(entry, page):
    """What each trial behind a figure gave, with the way to it."""
    runs = {run["name"]: run for run in page["runs"]}
    report = runs[entry["run"]]["report"] if entry["run"] in runs else ""
    edition = "zh-" if page["language"] == "zh" else ""
    rows = ""
    for source in entry["trials"]:
        place = escape(f'{report}#{edition}{cell_anchor(source["cell"])}')
        values = escape(", ".join(source["values"]))
        rows += (
            f'<li><a href="{place}">{escape(entry["run"])}: {escape(source["cell"])}</a> '
            f'<code>{escape(source["metric"])}</code>: {values}</li>'
        )
    if not rows:
        return ""
    return f'<details><summary>{escape(page["words"]["trials"])}</summary><ul>{rows}</ul></details>'


def figures(entries, heading, page):
    if not entries:
        return ""
    items = "".join(
        f'<li class="{escape(entry["standing"])}">{STANDINGS[entry["standing"]]} {escape(entry["text"])}'
        f"{trials(entry, page)}</li>"
        for entry in entries
    )
    return f"<p class=\"heading\">{escape(page['words'][heading])}</p><ul>{items}</ul>"


def article(claim, page):
    sign = SIGNS.get(claim["ruling"], "")
    words = page["words"]
    commands = "".join(f" <code>{escape(command)}</code>" for command in claim["commands"])
    again = f'<p class="command">{escape(words["commands"])}:{commands}</p>' if commands else ""
    kinds = " · ".join((*claim["kinds"], claim["source"]))
    surprise = f' · {escape(words["surprise"])}' if claim["surprise"] else ""
    return (
        f'<article class="{escape(claim["ruling"])}" id="{escape(page["language"])}-{escape(claim["id"])}">'
        f'<h3>{escape(claim["claim"])} <span class="id">{escape(claim["id"])} · {escape(kinds)}</span></h3>'
        f'<p class="verdict">{sign} {escape(claim["ruling_text"])}</p>'
        f'<p class="test">{escape(claim["test"])}</p>'
        f'{figures(claim["checks"], "checks", page)}{figures(claim["limits"], "limits", page)}'
        f'<p class="test">{escape(claim["expected_text"])}{surprise}</p>{again}</article>'
    )


def runs_table(page):
    words = page["words"]
    columns = ("run", "profile", "grade", "date", "minutes", "commit", "machine")
    head = "".join(f"<th>{escape(words[column])}</th>" for column in columns)
    rows = "".join(
        f'<tr><td><a href="{escape(run["report"])}">{escape(run["name"])}</a></td>'
        f'<td>{escape(run["profile"])}, {run["repeat"]}</td><td>{escape(run["grade"])}</td>'
        f'<td>{escape(run["date"])}</td><td>{escape(run["took"])}</td>'
        f'<td><code>{escape(run["commit"][:12])}</code></td><td>{escape(run["machine"])}</td></tr>'
        for run in page["runs"]
    )
    return f'<h2>{escape(words["runs"])}</h2><div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def counts(claims):
    """How many of each verdict, as a line: a shape and a number each, so that colour carries nothing alone."""
    parts = []
    for ruling in RULINGS:
        some = [claim for claim in claims if claim["ruling"] == ruling]
        if some:
            parts.append(f'<span>{SIGNS[ruling]} {escape(some[0]["ruling_word"])} {len(some)}</span>')
    return "".join(parts)


def is_untested(claim):
    return claim["ruling"] == "cannot_say" and not claim["checks"]


def edition(page):
    tag = "zh-Hans" if page["language"] == "zh" else "en"
    tested = [claim for claim in page["claims"] if not is_untested(claim)]
    body = []
    for group in dict.fromkeys(claim["group"] for claim in tested):
        claims = [claim for claim in tested if claim["group"] == group]
        articles = "".join(article(claim, page) for claim in claims)
        body.append(f'<h2>{escape(claims[0]["group_text"])}</h2>{articles}')
    untested = "".join(
        f'<li><b>{escape(claim["id"])}</b> {escape(claim["claim"])} '
        f'<span class="id">{escape(claim["ruling_text"])}</span></li>'
        for claim in page["claims"] if is_untested(claim)
    )
    if untested:
        body.append(f'<h2>{escape(page["words"]["untested"])}</h2><ul>{untested}</ul>')
    return (
        f'<section class="edition" lang="{tag}"><h1>{escape(page["title"])}</h1>'
        f'<p class="how">{escape(page["how"])}</p>'
        f'<p class="machine">{escape(page["took"])} · {escape(page["made"][:10])}</p>'
        f'<nav>{counts(page["claims"])}</nav>{"".join(body)}{runs_table(page)}</section>'
    )


def document(pages):
    buttons = (
        '<nav><button data-to="en" hidden>English</button>'
        '<button data-to="zh" hidden lang="zh-Hans">中文</button></nav>'
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(pages[0]["title"])}</title><style>{STYLE}</style></head>\n<body>'
        f'{buttons}{"".join(edition(page) for page in pages)}<script>{SCRIPT}</script></body></html>\n'
    )


def main(arguments):
    if len(arguments) != 2:
        print("usage: claims.py DIRECTORY", file=sys.stderr)
        return 2
    directory = Path(arguments[1])
    pages = [json.loads((directory / name).read_text(encoding="utf-8")) for name in ("claims.json", "claims.zh.json")]
    (directory / "claims.html").write_text(document(pages), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
