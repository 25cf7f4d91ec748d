#!/usr/bin/env python3
"""Draws a run: figures/*.png, figures/*.svg and one self-contained report.html, from RUN/results.json and
RUN/results.zh.json (the same in Chinese, if it is there) and nothing else.

    scripts/report.py RUN [--out DIRECTORY]

Computes nothing: every number, sentence and title was written by `iolab` (experiments/RESULTS.md describes the file).
Without matplotlib the page is written all the same, with every number and no picture, and the package is named.
Ends with 0, with 3 if results.json cannot be used, and with 4 if matplotlib is missing.
"""

import argparse
import os
import sys
from pathlib import Path

from iolab_report import inline_svg, page
from iolab_report.edition import Edition
from iolab_report.results import ResultsError, read_results

NO_MATPLOTLIB = (
    "report: no pictures, because this Python ({python}) cannot import matplotlib: {why}. On Debian or "
    "Ubuntu: apt-get install python3-matplotlib"
)


def draw_figures(every_results, directory):
    """[inline pictures by chart id] for each language, and why there are none if there are none."""
    try:
        from iolab_report import figures
    except ImportError as error:
        return [{} for _ in every_results], NO_MATPLOTLIB.format(python=sys.executable, why=error)
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    for results in every_results:
        writable = figures.can_write(results["run"].get("language"))
        drawn.append(figures.draw_all(results, directory) if writable else drawn[0])
    return drawn, ""


def editions_of(every_results, directory, csv):
    """An edition of the page for each language, and the complaint that all have in common."""
    drawn, complaint = draw_figures(every_results, directory)
    editions = []
    for results, pictures in zip(every_results, drawn):
        made = Edition(results, pictures, csv=csv)
        if complaint:
            made.complaints.append(complaint)
        if editions and pictures and pictures is drawn[0]:
            made.complaints.append(made.words("no_font"))
            made.pictures = inline_svg.copied(pictures, made.language)
        editions.append(made)
    return editions, complaint


def write_in_place(path, text):
    """Written beside its place and renamed, so that a reader never sees half a page."""
    beside = path.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the directory of a run: it holds results.json")
    parser.add_argument("--out", type=Path, help="where report.html and figures/ go (default: into the run)")
    chosen = parser.parse_args(arguments)
    try:
        every_results = [read_results(chosen.run / "results.json")]
        if (chosen.run / "results.zh.json").exists():
            every_results.append(read_results(chosen.run / "results.zh.json"))
    except ResultsError as error:
        print(f"report: {error}", file=sys.stderr)
        return 3
    out = chosen.out or chosen.run
    out.mkdir(parents=True, exist_ok=True)
    data = chosen.run / "data.csv"
    csv = os.path.relpath(data, out) if data.exists() else ""
    editions, complaint = editions_of(every_results, out / "figures", csv)
    write_in_place(out / "report.html", page.render(editions))
    if complaint:
        print(complaint, file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
