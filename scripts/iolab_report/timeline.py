"""One request through every model: a lane for each, time to the right, what each thread was doing as a block.

The wait is drawn shorter than it is: where its scale differs from that of the rest, two slanted strokes break the
lanes. What is cut at an edge says so by a torn border; its true length is in the tooltip and in the table that the page
sets below. A call that has no room for its name inside its block is told apart by colour and hatch, named above the
lanes.
"""

from matplotlib.patches import Polygon, Rectangle

from .canvas import INK, PAPER, RULE, SOFT_INK, axis_title, plain_axes, points, set_ticks, tag
from .results import with_source

LANE = "#f4f5f7"
SMALLER = (1.0, 0.93, 0.86, 0.8, 0.74)  # text that has to be whole tries one size after the other
DOTTED = (0, (1.2, 1.2))


def lanes_of(chart):
    return [lane for panel in chart["panels"] for lane in panel["lanes"]]


def rows_of(lane):
    return max(1, len(lane.get("threads", ())))


def height(sheet, chart):
    rows = sum(rows_of(lane) for lane in lanes_of(chart)) + 0.5 * len(lanes_of(chart))
    row = 2.9 * sheet.font if sheet.is_narrow else 2.3 * sheet.font
    return int(rows * row + (11 if sheet.is_narrow else 7) * sheet.font)


def draw(canvas, chart, _, source):
    canvas.heading(chart, source)
    sheet = canvas.sheet
    lanes = lanes_of(chart)
    names = max((canvas.text_width(lane["title"], sheet.small, "bold") for lane in lanes), default=0)
    threads = max(
        (
            canvas.text_width(thread, sheet.tiny)
            for lane in lanes
            if len(lane["threads"]) > 1
            for thread in lane["threads"]
        ),
        default=0,
    )
    left = sheet.margin + 4 if sheet.is_narrow else sheet.margin + max(names, threads) + sheet.font
    said = [canvas.text_width(lane.get("text", ""), sheet.tiny) for lane in lanes]
    right = (
        sheet.margin + 4
        if sheet.is_narrow
        else sheet.margin + min(max(said, default=0), 0.27 * canvas.width) + sheet.font
    )
    top = canvas.top + _key(canvas, chart)
    axes = canvas.axes(left, top, canvas.width - left - right, canvas.bottom - top - 3.0 * sheet.font)
    plain_axes(axes)
    set_ticks(axes, "x", chart["x"], sheet)
    axes.grid(axis="x", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_yticks([])
    axes.set_ylim(sum(rows_of(lane) + 0.5 for lane in lanes), 0)
    if axes.get_xlim()[0] <= 0 <= axes.get_xlim()[1]:
        axes.axvline(0, color=INK, linewidth=1.1, zorder=1)
    size = _size_beside(canvas, axes, lanes)
    row = 0.25
    for lane in lanes:
        _draw_lane(canvas, axes, lane, chart, row, size)
        if not lane.get("missing"):
            for at in chart["x"].get("breaks", ()):
                _break(canvas, axes, at, row - 0.08, row + rows_of(lane) + 0.08)
        row += rows_of(lane) + 0.5
    note = f" ({chart['x']['note']})" if chart["x"].get("note") else ""
    below = canvas.wrapped(axis_title(chart["x"]) + note, canvas.width - 20, sheet.small)
    for number, line in enumerate(below[:2]):
        canvas.text(
            (left + canvas.width - right) / 2,
            canvas.bottom - (0.5 + 1.2 * (len(below[:2]) - 1 - number)) * sheet.font + 4,
            line,
            size=sheet.small,
            color=SOFT_INK,
            ha="center",
        )


def _key(canvas, chart):
    sheet = canvas.sheet
    used = {event["state"] for lane in lanes_of(chart) for event in lane["events"]}
    x, y, box = sheet.margin, canvas.top + 1.0 * sheet.font, 0.95 * sheet.font
    for state in chart.get("states", ()):
        if state["id"] not in used:
            continue
        width = canvas.text_width(state["label"], sheet.small) + 1.9 * box + 1.3 * sheet.font
        if x + width > canvas.width - sheet.margin + 1.3 * sheet.font and x > sheet.margin:
            x, y = sheet.margin, y + 1.55 * sheet.font
        canvas.figure.add_artist(
            Rectangle(
                (x / canvas.width, 1 - y / canvas.height),
                1.5 * box / canvas.width,
                box / canvas.height,
                transform=canvas.figure.transFigure,
                linewidth=0.6,
                facecolor=state["color"],
                hatch=state.get("hatch"),
                edgecolor=INK,
            )
        )
        canvas.text(x + 1.9 * box, y, state["label"], size=sheet.small)
        x += width
    kinds = {mark["label"]: mark.get("kind") for lane in lanes_of(chart) for mark in lane["marks"] if _is_drawn(mark)}
    for label, kind in kinds.items():
        width = canvas.text_width(label, sheet.small) + 1.4 * box
        if x + width > canvas.width - sheet.margin:
            x, y = sheet.margin, y + 1.55 * sheet.font
        canvas.figure.add_artist(
            Rectangle(
                ((x + 0.3 * box) / canvas.width, 1 - (y + 2) / canvas.height),
                3 / canvas.width,
                (box + 4) / canvas.height,
                transform=canvas.figure.transFigure,
                **({"facecolor": PAPER, "edgecolor": INK, "linewidth": 0.8} if kind == "sent" else {"color": INK}),
            )
        )
        canvas.text(x + 1.2 * box, y, label, size=sheet.small)
        x += width + 1.3 * sheet.font
    return y - canvas.top + (2.2 if sheet.is_narrow else 1.0) * sheet.font


def _is_drawn(mark):
    """The arrival is the same line for all lanes; one that is not known has a line of its own kind."""
    return mark["at_us"] != 0 or mark.get("kind") == "sent"


def _break(canvas, axes, at, top, bottom):
    """Two slanted strokes, blank between them: left and right of here a microsecond is not equally wide."""
    start, end = axes.get_xlim()
    pixel = (end - start) / axes.get_window_extent(canvas.renderer).width
    half, lean = 0.16 * canvas.sheet.font * pixel, 0.22 * canvas.sheet.font * pixel
    corners = [(at - half + lean, top), (at + half + lean, top), (at + half - lean, bottom), (at - half - lean, bottom)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=PAPER, edgecolor="none", zorder=5))
    for side in (-half, half):
        axes.plot([at + side + lean, at + side - lean], [top, bottom], color=INK, linewidth=1.1, zorder=6)


def _draw_lane(canvas, axes, lane, chart, row, beside):
    sheet = canvas.sheet
    start, end = axes.get_xlim()
    rows = rows_of(lane)
    middle = row + rows / 2
    axes.add_patch(
        Rectangle((start, row - 0.08), end - start, rows + 0.16, facecolor=LANE, edgecolor="none", zorder=0)
    )
    words = {"fontsize": points(sheet.small), "va": "center", "clip_on": False}
    if sheet.is_narrow:
        axes.text(
            start, row - 0.2, f" {lane['title']}", color=INK, weight="bold", fontsize=points(sheet.small), va="bottom"
        )
    else:
        axes.annotate(
            lane["title"],
            (start, middle if rows == 1 else row + 0.45),
            xytext=(-points(0.8 * sheet.font), 0),
            textcoords="offset points",
            ha="right",
            color=INK,
            weight="bold",
            annotation_clip=False,
            **words,
        )
        if not lane.get("missing"):
            _say_beside(canvas, axes, lane, end, middle, beside)
    if lane.get("missing"):
        room = axes.get_window_extent(canvas.renderer).width - 16
        text = "\n".join(canvas.wrapped(lane["missing"], room, sheet.small)[:2])
        artist = axes.text(start, middle, f" {text}", color=SOFT_INK, style="italic", zorder=6, **words)
        tag(artist, f"series:{lane['series']}::missing").set_backgroundcolor(LANE)
        return
    states = {state["id"]: state for state in chart.get("states", ())}
    for event in lane["events"]:
        _draw_event(canvas, axes, lane, event, states.get(event["state"], {}), row, chart["x"].get("breaks", ()))
    _name_threads(sheet, axes, lane, row, rows)
    _draw_marks(axes, lane, row, rows)


def _name_threads(sheet, axes, lane, row, rows):
    start = axes.get_xlim()[0]
    for thread, name in enumerate(lane["threads"]):
        if rows > 1 and not sheet.is_narrow and thread > 0:
            axes.annotate(
                name,
                (start, row + thread + 0.5),
                xytext=(-points(0.8 * sheet.font), 0),
                textcoords="offset points",
                ha="right",
                va="center",
                color=SOFT_INK,
                fontsize=points(sheet.tiny),
                annotation_clip=False,
            )


def _draw_marks(axes, lane, row, rows):
    for mark in lane.get("marks", ()):
        if _is_drawn(mark):
            sent = mark.get("kind") == "sent"
            axes.plot(
                [mark["at_us"]] * 2,
                [row - 0.08, row + rows + 0.08],
                color=INK,
                linewidth=1.6 if sent else 2.4,
                linestyle=DOTTED if sent else "solid",
                zorder=5,
                gid=f"mark:{lane['series']}|{mark['label']}",
                clip_on=True,
            )


def _size_beside(canvas, axes, lanes):
    """The largest size at which what stands beside each lane fits its height: nothing is left out."""
    row = axes.get_window_extent(canvas.renderer).height / abs(axes.get_ylim()[0] - axes.get_ylim()[1])
    for share in SMALLER:
        size = share * canvas.sheet.tiny
        if all(len(_beside(canvas, axes, lane, size)) * 1.2 * size <= (rows_of(lane) + 0.5) * row for lane in lanes):
            break
    return size


def _beside(canvas, axes, lane, size):
    sheet = canvas.sheet
    room = canvas.width - axes.get_window_extent(canvas.renderer).x1 - 0.9 * sheet.font - 0.5 * sheet.margin
    return canvas.wrapped(lane.get("text", ""), room, size)


def _say_beside(canvas, axes, lane, end, middle, size):
    sheet = canvas.sheet
    axes.annotate(
        "\n".join(_beside(canvas, axes, lane, size)),
        (end, middle),
        xytext=(points(0.6 * sheet.font), 0),
        textcoords="offset points",
        fontsize=points(size),
        color=SOFT_INK,
        va="center",
        linespacing=1.1,
        annotation_clip=False,
        gid=f"series:{lane['series']}::said",
    )


def _draw_event(canvas, axes, lane, event, state, row, breaks):
    sheet = canvas.sheet
    start, end = axes.get_xlim()
    begin, finish = event["draw_from_us"], event["draw_to_us"]
    from_row = row + event["thread"] + 0.1
    said = with_source(event.get("text", ""), event)
    tag(
        axes.add_patch(
            Rectangle(
                (begin, from_row),
                finish - begin,
                0.8,
                facecolor=state.get("color", SOFT_INK),
                hatch=state.get("hatch"),
                edgecolor=PAPER,
                linewidth=0.7,
                zorder=3,
            )
        ),
        f"event:{lane['series']}|{said}",
    )
    if event["from_us"] < begin or event["to_us"] > finish:
        torn = begin if event["from_us"] < begin else finish
        axes.plot(
            [torn] * 2,
            [from_row - 0.1, from_row + 0.9],
            color=INK,
            linestyle=(0, (1.5, 1.5)),
            linewidth=1.6,
            zorder=4,
        )
    label = event.get("call", "") + (f" x {event['repeat']:,}" if event.get("repeat", 1) > 1 else "")
    finish = min([finish, *(at for at in breaks if begin < at < finish)])  # nothing is written across a break
    room = (finish - begin) * axes.get_window_extent(canvas.renderer).width / (end - start)
    if label and canvas.text_width(label, sheet.tiny) + 10 < room:
        axes.text(
            (begin + finish) / 2,
            from_row + 0.4,
            label,
            fontsize=points(sheet.tiny),
            color=INK,
            ha="center",
            va="center",
            zorder=6,
            gid=f"series:{lane['series']}::name",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": PAPER, "edgecolor": "none"},
        )
