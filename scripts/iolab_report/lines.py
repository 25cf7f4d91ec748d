"""Lines over one axis: a line for each model, its name at its end, every trial visible where there is no interval."""

from math import ceil

from .canvas import INK, PAPER, RULE, SOFT_INK, axis_title, line_style, plain_axes, points, set_ticks, tag


def _columns(sheet, panels):
    """Panels stand side by side, as many as remain readable; the rest in rows below."""
    return len(panels) if len(panels) <= 4 else 1 if sheet.is_narrow else 4


def height(sheet, chart):
    rows = ceil(len(chart["panels"]) / _columns(sheet, chart["panels"]))
    return round(sheet.height * (1 + 0.5 * (rows - 1)))


def _titles(canvas, panels, columns, width):
    """The titles of the panels, folded where they stand in several rows; how many lines the longest has."""
    texts = [panel.get("title") or "" for panel in panels]
    if columns == len(panels):
        return texts, canvas.sheet.small, int(any(texts))
    size = min(0.72 * canvas.sheet.font, 11)  # px
    texts = ["\n".join(canvas.wrapped(text, width, size)) for text in texts]
    return texts, size, max(text.count("\n") + 1 for text in texts)


def draw(canvas, chart, series, source):
    canvas.heading(chart, source)
    sheet = canvas.sheet
    panels = chart["panels"]
    named = [entry for panel in panels for entry in panel["series"]]
    label_width = max((canvas.text_width(series[entry["id"]]["label"], sheet.small) for entry in named), default=0)
    right = label_width + 3.6 * sheet.font + sheet.margin
    left = (
        max([canvas.text_width(tick["label"], sheet.small) for tick in chart["y"]["ticks"]] or [20])
        + 8
        + sheet.margin
    )
    footnotes = _footnotes(canvas, chart, series, left)
    bottom = canvas.bottom - 3.4 * sheet.font - footnotes
    columns = _columns(sheet, panels)
    gap = (1.6 if columns == len(panels) else 2.6) * sheet.font
    width = (canvas.width - left - right - gap * (columns - 1) - 4) / columns
    titles, title_size, lines = _titles(canvas, panels, columns, width if columns > 1 else canvas.width - left)
    above = 1.45 * title_size * lines
    top = canvas.top + 2.0 * sheet.font + above
    rows = ceil(len(panels) / columns)
    between = above + 2.2 * sheet.font
    tall = (bottom - top - between * (rows - 1)) / rows
    title = axis_title(chart["y"])
    note = f", {chart['y']['note']}" if chart["y"].get("note") else ""
    canvas.text(sheet.margin, canvas.top + 0.9 * sheet.font, title + note, size=sheet.small, color=SOFT_INK)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        axes = canvas.axes(left + column * (width + gap), top + row * (tall + between), width, tall)
        _frame(axes, chart, sheet, with_labels=column == 0)
        axes.set_title(titles[number], fontsize=points(title_size), color=INK, loc="left")
        for entry in panel["series"]:
            _draw_series(axes, entry, series[entry["id"]], sheet)
            if chart.get("gaps") == "dotted":
                _bridge_gaps(axes, entry, series[entry["id"]], sheet)
        _draw_walls(canvas, axes, panel, series)
        if number == len(panels) - 1:
            _name_lines(canvas, axes, panel, series, 0 if footnotes else 2.6 * sheet.font)
    below = axis_title(chart["x"]) + (f" ({chart['x']['note']})" if chart["x"].get("note") else "")
    span = columns * width + gap * (columns - 1)
    canvas.text(left + span / 2, bottom + 2.75 * sheet.font, below, size=sheet.small, color=SOFT_INK, ha="center")


def _frame(axes, chart, sheet, with_labels):
    plain_axes(axes)
    set_ticks(axes, "x", chart["x"], sheet)
    set_ticks(axes, "y", chart["y"], sheet)
    axes.spines["bottom"].set_visible(True)
    axes.spines["bottom"].set_color(SOFT_INK)
    axes.grid(axis="y", color=RULE, linewidth=0.9)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", length=5, color=SOFT_INK, pad=4)
    if not with_labels:
        axes.set_yticklabels([])


def _segments(entry):
    """The runs of points between gaps: a value that is missing breaks the line."""
    run = []
    for point in entry["points"]:
        if point.get("value") is None:
            if run:
                yield run
            run = []
        else:
            run.append(point)
    if run:
        yield run


def _draw_series(axes, entry, style, sheet):
    color, size = style["color"], 7.0 * sheet.line
    again = style.get("role") != "model"
    for run in _segments(entry):
        (line,) = axes.plot(
            [point["at"] for point in run],
            [point["value"] for point in run],
            color=color,
            linestyle=line_style(style),
            linewidth=style.get("line_width", 1.6) * sheet.line,
            zorder=3,
        )
        tag(line, f"series:{entry['id']}::line")
    for point in entry["points"]:
        if point.get("value") is None:
            continue
        if point.get("low") is not None and point.get("high") is not None:
            axes.plot(
                [point["at"]] * 2,
                [point["low"], point["high"]],
                color=color,
                linewidth=1.3 * sheet.line,
                zorder=2,
                marker="_",
                markersize=size,
                gid=f"series:{entry['id']}::range",
            )
        else:
            values = [value for value in point.get("values", ()) if value is not None]
            axes.plot(
                [point["at"]] * len(values),
                values,
                linestyle="none",
                marker=style["marker"],
                markersize=size * 0.62,
                markerfacecolor="none",
                markeredgecolor=color,
                markeredgewidth=0.7,
                alpha=0.75,
                zorder=2,
                gid=f"series:{entry['id']}::trials",
            )
        axes.plot(
            [point["at"]],
            [point["value"]],
            linestyle="none",
            marker=style["marker"],
            markersize=size,
            zorder=4,
            markerfacecolor=PAPER if again else color,
            markeredgecolor=INK,
            markeredgewidth=0.9,
            gid=f"point:{entry['id']}::{point.get('cell') or ''}|{style['label']}: {point.get('text', '')}",
        )


def _bridge_gaps(axes, entry, style, sheet):
    """Dotted across a place that has no value: the line goes on, but nothing was measured there."""
    runs = list(_segments(entry))
    for left, right in zip(runs, runs[1:]):
        axes.plot(
            [left[-1]["at"], right[0]["at"]],
            [left[-1]["value"], right[0]["value"]],
            color=style["color"],
            linestyle=(0, (1, 2.5)),
            linewidth=1.1 * sheet.line,
            zorder=2,
            gid=f"series:{entry['id']}::gap",
        )


def _draw_walls(canvas, axes, panel, series):
    """Where a line ends because the model cannot go on: a bar right behind its last point."""
    sheet = canvas.sheet
    for mark in panel.get("marks", ()):
        entry = next((entry for entry in panel["series"] if entry["id"] == mark.get("series")), None)
        last = [point for point in (entry or {"points": ()})["points"] if point.get("value") is not None]
        if mark.get("kind") != "wall" or not last:
            continue
        x, y = axes.transData.transform((last[-1]["at"], last[-1]["value"]))
        style, stop = series[entry["id"]], x + 1.1 * sheet.font
        canvas.figure.add_artist(_pixel_line(canvas, [(x, y), (stop, y)], style, f"series:{entry['id']}::wall"))
        bar = _pixel_line(canvas, [(stop, y)], style, f"series:{entry['id']}::stop|{mark['text']}")
        bar.set(marker="|", markersize=20 * sheet.line, markeredgewidth=4.5 * sheet.line, alpha=1)
        canvas.figure.add_artist(bar)


def _footnotes(canvas, chart, series, left):
    """The reasons of the walls, below the axis, where they cannot cover a line. Returns the height they take.

    A slide has no room for them: there, what could not run is a slide of its own.
    """
    sheet = canvas.sheet
    if sheet.is_fixed and not sheet.titled:
        return 0
    lines = []
    marks = {(mark.get("series"), mark["text"]) for panel in chart["panels"] for mark in panel.get("marks", ())}
    order = list(series)
    for name, text in sorted(marks, key=lambda mark: order.index(mark[0]) if mark[0] in series else -1):
        color = series.get(name, {}).get("color", INK)
        wrapped = canvas.wrapped(text, canvas.width - left - 20, sheet.small)
        lines += [(line, color if first == 0 else None) for first, line in enumerate(wrapped)]
    step = 1.35 * sheet.small
    for number, (line, color) in enumerate(lines):
        y = canvas.bottom - (len(lines) - 1 - number) * step - 4
        canvas.text(left + 14, y, line, size=sheet.small, color=INK)
        if color:
            canvas.text(left, y, "|", size=sheet.small * 1.1, color=color, weight="black")
    return step * len(lines) + (6 if lines else 0)


def spread(wanted, step, low, high):
    """Places at least `step` apart, each as near to its wanted one as order and the borders allow."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [0.0] * len(wanted)
    at = low - step
    for index in order:
        at = placed[index] = max(wanted[index], at + step)
    at = high + step
    for index in reversed(order):
        at = placed[index] = min(placed[index], at - step)
    return placed


def _name_lines(canvas, axes, panel, series, room_below):
    sheet = canvas.sheet
    ends = [
        (entry, [point for point in entry["points"] if point.get("value") is not None]) for entry in panel["series"]
    ]
    ends = [(entry, run[-1]) for entry, run in ends if run]
    if not ends:
        return
    box = axes.get_window_extent(canvas.renderer)
    stopped = {mark.get("series") for mark in panel.get("marks", ())}
    pixels = [axes.transData.transform((end["at"], end["value"])) for entry, end in ends]
    low, high = box.y0 + 4 - room_below, box.y1 - 4
    step = min(1.32 * sheet.small, (high - low) / max(1, len(ends) - 1))
    heights = spread([y for _, y in pixels], step, low, high)
    near, far = box.x1 + 0.7 * sheet.font, box.x1 + 2.4 * sheet.font
    for (entry, _), (x, y), height in zip(ends, pixels, heights):
        style = series[entry["id"]]
        if entry["id"] not in stopped:  # a leader from where a line stopped would look like its continuation
            leader = [(x, y), (near, y), (far - 0.4 * sheet.font, height)]
            canvas.figure.add_artist(_pixel_line(canvas, leader, style, f"series:{entry['id']}::leader"))
        marker = _pixel_line(canvas, [(far + 0.2 * sheet.font, height)], style, f"series:{entry['id']}::key")
        marker.set(
            marker=style["marker"],
            markersize=6.2 * sheet.line,
            markeredgecolor=INK,
            markerfacecolor=style["color"] if style.get("role") == "model" else PAPER,
            alpha=1,
        )
        canvas.figure.add_artist(marker)
        canvas.text(
            far + 1.0 * sheet.font,
            canvas.height - height,
            style["label"],
            size=sheet.small,
            va="center",
            gid=f"series:{entry['id']}::name",
        )


def _pixel_line(canvas, places, style, gid):
    from matplotlib.lines import Line2D

    x = [place[0] / canvas.width for place in places]
    y = [place[1] / canvas.height for place in places]
    return Line2D(x, y, transform=canvas.figure.transFigure, color=style["color"], linewidth=0.9, alpha=0.55, gid=gid)
