"""Ratios with their intervals, one row for each model, over a grey band in which a difference means nothing."""

from .canvas import INK, PAPER, RULE, SOFT_INK, axis_title, plain_axes, points, set_ticks, tag

BAND = "#e3e6ea"


def height(sheet, chart):
    """A row for each model, and what stands above and below them. On a narrow sheet its name has a line of its own."""
    rows = max((len(panel["rows"]) for panel in chart["panels"]), default=0)
    return int((3.4 if sheet.is_narrow else 2.1) * sheet.font * rows + 5.2 * sheet.font)


def draw(canvas, chart, series, source):
    canvas.heading(chart, source)
    sheet = canvas.sheet
    rows = [row for panel in chart["panels"] for row in panel["rows"]]
    names = max(canvas.text_width(series[row["series"]]["label"], sheet.small, "bold") for row in rows)
    said = max(canvas.text_width(_said(row, sheet), sheet.small) for row in rows)
    left, right = sheet.margin + (8 if sheet.is_narrow else names + 12), sheet.margin + said + 16
    top, bottom = canvas.top + 0.6 * sheet.font, canvas.bottom - 3.6 * sheet.font
    axes = canvas.axes(left, top, canvas.width - left - right, bottom - top)
    plain_axes(axes)
    set_ticks(axes, "x", chart["x"], sheet)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(SOFT_INK)
    axes.tick_params(axis="x", length=5, color=SOFT_INK, pad=4)
    axes.grid(axis="x", color=RULE, linewidth=0.9)
    axes.set_axisbelow(True)
    floor = chart.get("floor") or 0
    tag(axes.axvspan(1 / (1 + floor), 1 + floor, color=BAND, zorder=0.5), "floor")
    axes.axvline(1, color=INK, linewidth=1.2 * sheet.line, zorder=1)
    for place, row in enumerate(rows):
        _draw_row(canvas, axes, place, row, series[row["series"]], left)
    below = axis_title(chart["x"]) + (f" ({chart['x']['note']})" if chart["x"].get("note") else "")
    middle = left + (canvas.width - left - right) / 2
    canvas.text(middle, bottom + 2.9 * sheet.font, below, size=sheet.small, color=SOFT_INK, ha="center")


def _said(row, sheet):
    return row["text"] if sheet.is_narrow else f"{row['text']}  {row['word']}"


def _draw_row(canvas, axes, place, row, style, left):
    sheet = canvas.sheet
    label = f"{style['label']}: {row['text']}, {row['word']}"
    axes.plot(
        [row["low"], row["high"]],
        [place] * 2,
        color=style["color"],
        linewidth=2.4 * sheet.line,
        marker="|",
        markersize=11 * sheet.line,
        markeredgewidth=2 * sheet.line,
        zorder=3,
        gid=f"series:{row['series']}::range",
    )
    axes.plot(
        [row["value"]],
        [place],
        linestyle="none",
        marker=style["marker"],
        markersize=8.5 * sheet.line,
        markerfacecolor=style["color"],
        markeredgecolor=PAPER,
        markeredgewidth=1.2,
        zorder=4,
        gid=f"point:{row['series']}::|{label}",
    )
    height = canvas.height - axes.transData.transform((row["value"], place))[1]
    name = {"size": sheet.small, "weight": "bold", "va": "center"}
    if sheet.is_narrow:
        canvas.text(sheet.margin, height - 1.5 * sheet.font, style["label"], **name)
    else:
        canvas.text(left - 10, height, style["label"], ha="right", **name)
    said = {"size": sheet.small, "ha": "right", "va": "center", "gid": f"series:{row['series']}::said"}
    canvas.text(canvas.width - sheet.margin, height, _said(row, sheet), **said)
