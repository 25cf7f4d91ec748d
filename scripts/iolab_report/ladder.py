"""One request through one model, step by step: time runs down, the application on the left, the kernel right of it, and
on the far right a thread that the program did not start, if the kernel saw one.

Steps are equally far apart whatever time lies between them; the moments stand beside them, and what they add up to
stands in the margin.
"""

from dataclasses import dataclass

from matplotlib.patches import Rectangle

from .canvas import INK, PAPER, RULE, SOFT_INK, points, tag
from .results import with_source

ARROW = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
HIDDEN = 2  # column


@dataclass(frozen=True)
class Places:
    """Where the lines stand, from left to right."""

    moments: float
    application: float
    kernel: float
    hidden: float  # as the kernel, if there is none
    margin: float


def height(sheet, chart):
    return int((len(chart["steps"]) + 2.5) * 2.0 * sheet.font)


def draw(canvas, chart, _, source):
    canvas.heading(chart, source)
    sheet = canvas.sheet
    steps = chart["steps"]
    places = _places(canvas, chart)
    axes = canvas.axes(0, canvas.top, canvas.width, canvas.bottom - canvas.top)
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(len(steps) + 0.6, -1.2)
    axes.axis("off")
    for place, label in zip((places.application, places.kernel, places.hidden), labels(chart)):
        axes.plot([place, place], [-0.5, len(steps)], color=RULE, linewidth=2.2, zorder=1)
        axes.text(place, -0.75, label, fontsize=points(sheet.small), weight="bold", color=INK, ha="center")
    colours = {state["id"]: state for state in chart["states"]}
    for number, step in enumerate(steps):
        _draw_step(canvas, axes, chart, step, number, places, colours)
    for phase in chart["phases"]:
        _draw_phase(canvas, axes, phase, places, colours)


def labels(chart):
    """Of the columns; a file that was written when there were always two has them as bare texts."""
    return [column if isinstance(column, str) else column["label"] for column in chart["columns"]]


def is_hidden(step):
    return step.get("column") == HIDDEN


def _places(canvas, chart):
    sheet = canvas.sheet
    steps = chart["steps"]
    widest = {False: 0, True: 0}
    for step in steps:
        side = is_hidden(step)
        widest[side] = max(widest[side], canvas.text_width(step["text"], sheet.small))
    moments = max((canvas.text_width(step["at"], sheet.tiny) for step in steps), default=0)
    texts = () if sheet.is_narrow else (phase["text"] for phase in chart["phases"])
    margin = max((canvas.text_width(text, sheet.small) for text in texts), default=0)
    left = sheet.margin + moments + 0.8 * sheet.font
    right = canvas.width - sheet.margin - margin - (2.2 if margin else 0.5) * sheet.font
    has_hidden = len(chart["columns"]) > HIDDEN
    beside = min(widest[True], 0.25 * canvas.width) + 1.6 * sheet.font if has_hidden else 0
    application = left + min(widest[False], 0.55 * (right - beside - left)) + sheet.font
    end = max(application + (8 if has_hidden else 4) * sheet.font, right - beside - 1.5 * sheet.font)
    kernel = (application + end) / 2 if has_hidden else end
    return Places(left, application, kernel, end, end + beside)


def _draw_step(canvas, axes, chart, step, number, places, colours):
    sheet = canvas.sheet
    gid = f"event:{chart['series']}|{step['at']} us {with_source(step['text'], step)}"
    words = {"fontsize": points(sheet.small), "color": INK, "va": "center"}
    quiet = {"fontsize": points(sheet.tiny), "color": SOFT_INK, "va": "center"}
    axes.text(places.moments - 0.5 * sheet.font, number, step["at"], ha="right", **quiet)
    caller = places.hidden if is_hidden(step) else places.application
    if step["kind"] in ("arrives", "sent"):
        known = step["kind"] == "arrives"
        dot = {"marker": "o", "markersize": points(0.6 * sheet.font), "zorder": 3, "markeredgecolor": INK}
        axes.plot([places.kernel], [number], color=INK, markerfacecolor=INK if known else PAPER, gid=gid, **dot)
    if step["kind"] in ("call", "returns"):
        ends = (caller, places.kernel) if step["kind"] == "call" else (places.kernel, caller)
        arrow = axes.annotate("", (ends[1], number), xytext=(ends[0], number), arrowprops=ARROW, annotation_clip=False)
        tag(arrow, gid)
    if step["kind"] == "within":
        state = colours.get(step["state"], {})
        box = Rectangle(
            (caller - 0.35 * sheet.font, number - 0.4),
            0.7 * sheet.font,
            0.8,
            facecolor=state.get("color", SOFT_INK),
            hatch=state.get("hatch"),
            edgecolor=PAPER,
            zorder=3,
        )
        tag(axes.add_patch(box), gid)
    if is_hidden(step):
        axes.text(caller + 0.8 * sheet.font, number, step["text"], ha="left", **words)
    else:
        axes.text(caller - 0.8 * sheet.font, number, step["text"], ha="right", **words)


def _draw_phase(canvas, axes, phase, places, colours):
    sheet = canvas.sheet
    state = colours.get(phase["state"], {})
    bracket = Rectangle(
        (places.margin + 0.5 * sheet.font, phase["first"] + 0.04),
        0.5 * sheet.font,
        max(phase["last"] - phase["first"], 0.5) - 0.08,
        facecolor=state.get("color", SOFT_INK),
        hatch=state.get("hatch"),
        edgecolor=INK,
        linewidth=0.5,
        zorder=2,
    )
    tag(axes.add_patch(bracket), f"event:phase|{phase['text']}")
    if sheet.is_narrow:
        return
    middle = (phase["first"] + phase["last"]) / 2
    words = {"fontsize": points(sheet.small), "color": INK, "va": "center", "ha": "left"}
    axes.text(places.margin + 1.4 * sheet.font, middle, phase["text"], **words)
