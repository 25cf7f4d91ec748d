"""Horizontal bars, one for each model: whole ones in the model's own colour, stacked ones in the colours of the parts.

Several panels stand side by side with the names written once, and one below the other on a narrow sheet.
"""

from matplotlib.patches import Rectangle

from .canvas import INK, PAPER, RULE, SOFT_INK, axis_title, plain_axes, points, set_ticks, tag


def draw(canvas, chart, series, source):
    canvas.heading(chart, source)
    sheet = canvas.sheet
    panels = chart["panels"]
    names = max(
        (canvas.text_width(bar["label"], sheet.small) for panel in panels for bar in panel["bars"]), default=0
    )
    left = sheet.margin + names + 0.8 * sheet.font
    edge = canvas.width - sheet.margin
    top = canvas.top + _key(canvas, chart)
    titled = any(panel.get("title") for panel in panels) * 1.7 * sheet.font
    foot = (2.7 if sheet.is_fixed else 3.0) * sheet.font
    values, inside = _room_for_texts(canvas, panels, (edge - left) / (1 if sheet.is_narrow else len(panels)))
    for number, panel in enumerate(panels):
        if sheet.is_narrow:
            share = (canvas.bottom - top) / len(panels)
            place = (left, top + number * share + titled, edge - left - values, share - titled - foot)
        else:
            share = (edge - left) / len(panels)
            place = (left + number * share, top + titled, share - values - 8, canvas.bottom - top - titled - foot)
        with_names = sheet.is_narrow or number == 0
        if panel.get("title"):
            canvas.text(place[0], place[1] - 0.7 * sheet.font, panel["title"], size=sheet.small, weight="bold")
        _draw_panel(canvas, canvas.axes(*place), chart, panel, series, with_names, inside)
        note = f", {chart['x']['note']}" if chart["x"].get("note") else ""
        if number == 0 or sheet.is_narrow:
            middle = place[0] + place[2] / 2 if sheet.is_narrow or len(panels) == 1 else (left + edge) / 2
            canvas.text(
                middle,
                place[1] + place[3] + 2.5 * sheet.font,
                axis_title(chart["x"]) + note,
                size=sheet.small,
                color=SOFT_INK,
                ha="center",
            )


def _room_for_texts(canvas, panels, share):
    """(pixels that stay free beside the longest bar, whether the texts stand on their bars instead).

    A text that would leave its bar less than half of the panel stands on the bar.
    """
    sheet = canvas.sheet
    texts = [bar.get("text", "") for panel in panels for bar in panel["bars"]]
    widest = max((canvas.text_width(text, sheet.small, "bold") for text in texts), default=0)
    inside = widest > 0.5 * share
    return (1.2 if inside else 0.8) * sheet.font + (0 if inside else widest), inside


def height(sheet, chart):
    """What the rows need: a chart of eleven models is taller than one of three."""
    rows = [len(panel["bars"]) for panel in chart["panels"]] or [1]
    row = 2.15 * sheet.font
    if sheet.is_narrow:
        return int(sum(rows) * row + len(rows) * 4.8 * sheet.font + 6.5 * sheet.font)
    return int(max(rows) * row + 8.5 * sheet.font)


def _key(canvas, chart):
    """The parts of the stacks, named above the bars in their order. Returns the height that this takes."""
    sheet = canvas.sheet
    if not chart.get("parts"):
        return 0.4 * sheet.font
    x, y, box = sheet.margin, canvas.top + 1.0 * sheet.font, 0.95 * sheet.font
    used = {part["part"] for panel in chart["panels"] for bar in panel["bars"] for part in bar.get("parts", ())}
    for part in chart["parts"]:
        if part["id"] not in used:
            continue
        width = canvas.text_width(part["label"], sheet.small) + box + 1.6 * sheet.font
        if x + width > canvas.width - sheet.margin:
            x, y = sheet.margin, y + 1.6 * sheet.font
        canvas.figure.add_artist(
            Rectangle(
                (x / canvas.width, 1 - y / canvas.height),
                1.5 * box / canvas.width,
                box / canvas.height,
                transform=canvas.figure.transFigure,
                linewidth=0.8,
                facecolor=part["color"],
                hatch=part.get("hatch"),
                edgecolor=PAPER,
            )
        )
        canvas.text(x + 1.9 * box, y, part["label"], size=sheet.small)
        x += width + 0.6 * box
    return y - canvas.top + 1.2 * sheet.font


def _draw_panel(canvas, axes, chart, panel, series, with_names, inside):
    sheet = canvas.sheet
    plain_axes(axes)
    set_ticks(axes, "x", chart["x"], sheet)
    axes.grid(axis="x", color=RULE, linewidth=0.9)
    axes.set_axisbelow(True)
    bars = panel["bars"]
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_yticks(range(len(bars)))
    axes.set_yticklabels(
        [bar["label"] if with_names else "" for bar in bars], fontsize=points(sheet.small), color=INK
    )
    start = chart["x"].get("min") or 0
    parts = {part["id"]: part for part in chart.get("parts", ())}
    for row, bar in enumerate(bars):
        if bar.get("value") is None:
            lines = canvas.wrapped(bar.get("missing") or "-", _panel_width(canvas, axes), sheet.small)
            text = _cut(lines, axes.get_window_extent(canvas.renderer).height / len(bars) / (1.15 * sheet.small))
            axes.annotate(
                text,
                (start, row),
                xytext=(4, 0),
                textcoords="offset points",
                annotation_clip=False,
                color=SOFT_INK,
                fontsize=points(sheet.small),
                va="center",
                style="italic",
                backgroundcolor=PAPER,
                gid=f"series:{bar['series']}::missing",
            )
            continue
        style = series.get(bar["series"], {})
        if bar.get("parts"):
            _draw_stack(canvas, axes, row, bar, parts, start)
        else:
            _draw_whole(axes, row, bar, style, start, sheet)
        end = max(_ends(bar))
        limit = chart["x"].get("max")
        if limit is not None and end > limit:
            end = limit
            _tear(axes, row, limit, sheet, f"series:{bar['series']}::torn")
        if inside:  # the text may cover where the bar ends; its frame does not
            (frame,) = axes.barh(row, end - start, left=start, height=0.62, fill=False, edgecolor=INK, zorder=7)
            tag(frame, f"series:{bar['series']}::frame")
        axes.annotate(
            bar.get("text", ""),
            (start if inside else end, row),
            xytext=(points(0.5 * sheet.font), 0),
            textcoords="offset points",
            fontsize=points(sheet.small),
            color=INK,
            va="center",
            weight="normal" if inside else "bold",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": PAPER, "edgecolor": "none"} if inside else None,
            annotation_clip=False,
            gid=f"series:{bar['series']}::value",
        )


def _cut(lines, room):
    """As many lines as fit a row, two at most; the whole reason stands among the things that could not run."""
    fit = max(1, min(2, int(room)))
    return "\n".join(lines if len(lines) <= fit else [*lines[: fit - 1], f"{lines[fit - 1]} ..."])


def _tear(axes, row, limit, sheet, gid):
    """The torn end of a bar that is longer than its axis."""
    heights = [row - 0.36 + 0.09 * step for step in range(9)]
    width = 0.006 * (axes.get_xlim()[1] - axes.get_xlim()[0])
    edge = [limit - 2 * width + width * (step % 2) for step in range(9)]
    axes.fill_betweenx(heights, edge, limit + width, color=PAPER, linewidth=0, zorder=5, clip_on=False, gid=gid)
    axes.plot(edge, heights, color=INK, linewidth=1.1 * sheet.line, zorder=6, clip_on=False, gid=gid)


def _ends(bar):
    """Where a bar and the marks of its trials or its range end."""
    if bar.get("parts"):
        return [bar["value"]]
    if bar.get("high") is not None:
        return [bar["value"], bar["high"]]
    return [bar["value"], *(value for value in bar.get("values", ()) if value is not None)]


def _panel_width(canvas, axes):
    return axes.get_window_extent(canvas.renderer).width


def _draw_whole(axes, row, bar, style, start, sheet):
    color, again = style.get("color", SOFT_INK), style.get("role", "model") != "model"
    tag(
        axes.barh(
            row,
            bar["value"] - start,
            left=start,
            height=0.62,
            linewidth=1.2,
            hatch=style.get("hatch"),
            color=PAPER if again else color,
            edgecolor=color if again or not style.get("hatch") else PAPER,
        )[0],
        f"point:{bar['series']}::{bar.get('cell') or ''}|{bar['label']}: {bar.get('text', '')}",
    )
    if bar.get("low") is not None and bar.get("high") is not None:
        axes.plot(
            [bar["low"], bar["high"]],
            [row, row],
            color=INK,
            linewidth=1.4 * sheet.line,
            marker="|",
            markersize=8 * sheet.line,
            gid=f"series:{bar['series']}::range",
        )
    else:
        values = [value for value in bar.get("values", ()) if value is not None]
        axes.plot(
            values,
            [row] * len(values),
            linestyle="none",
            marker="o",
            markersize=5 * sheet.line,
            markerfacecolor=PAPER,
            markeredgecolor=INK,
            markeredgewidth=0.8,
            gid=f"series:{bar['series']}::trials",
        )


def _draw_stack(canvas, axes, row, bar, parts, start):
    sheet, at = canvas.sheet, start
    scale = _panel_width(canvas, axes) / (axes.get_xlim()[1] - axes.get_xlim()[0])
    order = {part: place for place, part in enumerate(parts)}
    for piece in sorted(bar["parts"], key=lambda piece: order.get(piece["part"], len(order))):
        if piece.get("value") is None:
            continue
        part = parts.get(piece["part"], {"label": piece["part"], "color": SOFT_INK})
        tag(
            axes.barh(
                row,
                piece["value"],
                left=at,
                height=0.66,
                color=part["color"],
                hatch=part.get("hatch"),
                edgecolor=PAPER,
                linewidth=0.8,
            )[0],
            f"part:{bar['series']}::{piece['part']}|{bar['label']}, {part['label']}: {piece.get('text', '')}",
        )
        room = (min(at + piece["value"], axes.get_xlim()[1]) - at) * scale
        text = piece.get("text", "")
        if not sheet.is_narrow and canvas.text_width(text, sheet.small) + 12 < room:
            axes.text(
                at + room / scale / 2,
                row,
                text,
                fontsize=points(sheet.small),
                color=INK,
                ha="center",
                va="center",
                gid=f"series:{bar['series']}::value",
                bbox={"boxstyle": "round,pad=0.18", "facecolor": PAPER, "edgecolor": "none"},
            )
        at += piece["value"]
