#!/usr/bin/env python3
"""Draws a run: figures/*.png, figures/*.svg and one self-contained report.html, from RUN/results.json and nothing else.

    scripts/report.py RUN [--out DIRECTORY]

Computes nothing: every number, sentence and title was written by `iolab` (experiments/RESULTS.md describes the file).
Without matplotlib the page is written all the same, with every number and no picture, and the package is named.
Ends with 0, with 3 if results.json cannot be used, and with 4 if matplotlib is missing.
"""

import argparse
import sys
from pathlib import Path

from iolab_report import page
from iolab_report.results import ResultsError, read_results

NO_MATPLOTLIB = (
    "report: no pictures, because this Python ({python}) cannot import matplotlib: {why}. On Debian or "
    "Ubuntu: apt-get install python3-matplotlib"
)


def draw_figures(results, directory):
    """The inline pictures by chart id, and why there are none if there are none."""
    try:
        from iolab_report import figures
    except ImportError as error:
        return {}, NO_MATPLOTLIB.format(python=sys.executable, why=error)
    directory.mkdir(parents=True, exist_ok=True)
    return figures.draw_all(results, directory), ""


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
        results = read_results(chosen.run / "results.json")
    except ResultsError as error:
        print(f"report: {error}", file=sys.stderr)
        return 3
    out = chosen.out or chosen.run
    out.mkdir(parents=True, exist_ok=True)
    pictures, complaint = draw_figures(results, out / "figures")
    write_in_place(out / "report.html", page.render(results, pictures, complaint))
    if complaint:
        print(complaint, file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
