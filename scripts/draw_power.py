#!/usr/bin/env python3
"""Draws power.png and power.svg of a self-check: how large a difference must be to be found, by duets and by trials.

  scripts/draw_power.py DIRECTORY      which holds simulation.json, and real.json where real runs were made

Computes nothing: every share and interval stands in the files.
"""

import json
import sys
from pathlib import Path

from iolab_report import canvas as paper

LOOKS = {
    ("duets", 10): ("#0072B2", "s", "solid"),
    ("trials", 20): ("#D55E00", "o", "dashed"),
    ("trials", 10): ("#CC79A7", "^", (0, (1.5, 1.5))),
}
REAL = {"slow-2": 0.02, "slow-5": 0.05, "slow-10": 0.1}
TICKS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def main():
    directory = Path(sys.argv[1])
    simulation = json.loads((directory / "simulation.json").read_text(encoding="utf-8"))
    real = directory / "real.json"
    sheet = paper.Canvas(paper.FILE)
    noise = simulation["noise"]
    sheet.heading(
        {
            "title": "How large a difference must be to be called clear",
            "subtitle": f"Share of experiments that call a planted difference clear; 10 comparisons each; "
            f"{simulation['experiments']} experiments for a point, 95 % intervals",
        },
        f"noise recorded on {noise['machine']}, {noise['started'][:10]}: trials of {noise['trial_s']:g} s, "
        f"duets of {noise['duet_s']:g} s",
    )
    axes = sheet.axes(130, sheet.top + 12, sheet.width - 330, sheet.bottom - sheet.top - 90)
    paper.plain_axes(axes)
    axes.set_xscale("log")
    axes.set_xlim(0.0045, 0.6)
    axes.set_ylim(-0.02, 1.04)
    size = paper.points(sheet.sheet.small)
    axes.set_xticks(TICKS, [f"{tick * 100:g} %" for tick in TICKS], fontsize=size, color=paper.SOFT_INK)
    axes.set_xticks([], minor=True)
    shares = (0, 0.25, 0.5, 0.75, 0.95)
    axes.set_yticks(shares, [f"{share:.0%}" for share in shares], fontsize=size, color=paper.SOFT_INK)
    axes.grid(axis="y", color=paper.RULE, linewidth=0.9)
    axes.set_xlabel("the model takes so much more than the baseline", fontsize=size, color=paper.SOFT_INK)
    for curve in simulation["curves"]:
        _draw_curve(axes, curve, size)
    if real.exists():
        _draw_real(axes, json.loads(real.read_text(encoding="utf-8")), size)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=size)
    sheet.save_png(directory / "power.png")
    (directory / "power.svg").write_text(sheet.svg("power", text_as_text=False), encoding="utf-8")


def _draw_curve(axes, curve, size):
    color, marker, dash = LOOKS[(curve["way"], curve["repeat"])]
    points = [point for point in curve["points"] if "found" in point]
    found = [point["found"] for point in points]
    axes.errorbar(
        [point["effect"] for point in points],
        [one["share"] for one in found],
        yerr=[[one["share"] - one["low"] for one in found], [one["high"] - one["share"] for one in found]],
        color=color, marker=marker, linestyle=dash, linewidth=2.6, markersize=9, elinewidth=1.6,
        label=f"{curve['repeat']} {curve['way']}",
    )


def _draw_real(axes, real, size):
    points = [(REAL[one["id"]], one["clearly_more"]) for one in real["variants"] if one["id"] in REAL]
    if not points:
        return
    axes.errorbar(
        [effect for effect, _ in points],
        [one["share"] for _, one in points],
        yerr=[[one["share"] - one["low"] for _, one in points], [one["high"] - one["share"] for _, one in points]],
        color=paper.INK, marker="D", linestyle="none", markersize=9, markerfacecolor="white", elinewidth=1.6,
        label="real processes,\n10 duets",
    )


if __name__ == "__main__":
    main()
