"""One request through one model, step by step: time runs down, the application on the left, the kernel on the right.

Steps are equally far apart whatever time lies between them; the moments stand beside them, and what they add up to
stands in the margin.
"""

from matplotlib.patches import Rectangle

from .canvas import INK, PAPER, RULE, SOFT_INK, points, tag

ARROW = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}


def height(sheet, chart):
    return int((len(chart["steps"]) + 2.5) * 2.0 * sheet.font)


def draw(canvas, chart, _, source):
    canvas.heading(chart, source)
    sheet = canvas.sheet
    steps = chart["steps"]
    moments = max((canvas.text_width(step["at"], sheet.tiny) for step in steps), default=0)
    said = max((canvas.text_width(step["text"], sheet.small) for step in steps), default=0)
    texts = () if sheet.is_narrow else (phase["text"] for phase in chart["phases"])
    margin = max((canvas.text_width(text, sheet.small) for text in texts), default=0)
    left = sheet.margin + moments + 0.8 * sheet.font
    right = sheet.margin + margin + (2.2 if margin else 0.5) * sheet.font
    application = left + min(said, 0.55 * (canvas.width - left - right)) + sheet.font
    kernel = max(application + 4 * sheet.font, canvas.width - right - 1.5 * sheet.font)
    axes = canvas.axes(0, canvas.top, canvas.width, canvas.bottom - canvas.top)
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(len(steps) + 0.6, -1.2)
    axes.axis("off")
    for place, label in zip((application, kernel), chart["columns"], strict=True):
        axes.plot([place, place], [-0.5, len(steps)], color=RULE, linewidth=2.2, zorder=1)
        axes.text(place, -0.75, label, fontsize=points(sheet.small), weight="bold", color=INK, ha="center")
    colours = {state["id"]: state for state in chart["states"]}
    for number, step in enumerate(steps):
        _draw_step(canvas, axes, chart, step, number, (left, application, kernel), colours)
    for phase in chart["phases"]:
        _draw_phase(canvas, axes, phase, kernel, colours)


def _draw_step(canvas, axes, chart, step, number, places, colours):
    sheet = canvas.sheet
    left, application, kernel = places
    said = step["text"] + (f" ({step['where']})" if step.get("where") else "")
    gid = f"event:{chart['series']}|{step['at']} us {said}"
    words = {"fontsize": points(sheet.small), "color": INK, "va": "center"}
    quiet = {"fontsize": points(sheet.tiny), "color": SOFT_INK, "va": "center"}
    axes.text(left - 0.5 * sheet.font, number, step["at"], ha="right", **quiet)
    if step["kind"] == "arrives":
        axes.plot([kernel], [number], marker="o", color=INK, markersize=points(0.6 * sheet.font), zorder=3, gid=gid)
    if step["kind"] in ("call", "returns"):
        ends = (application, kernel) if step["kind"] == "call" else (kernel, application)
        arrow = axes.annotate("", (ends[1], number), xytext=(ends[0], number), arrowprops=ARROW, annotation_clip=False)
        tag(arrow, gid)
    if step["kind"] == "within":
        state = colours.get(step["state"], {})
        box = Rectangle(
            (application - 0.35 * sheet.font, number - 0.4),
            0.7 * sheet.font,
            0.8,
            facecolor=state.get("color", SOFT_INK),
            hatch=state.get("hatch"),
            edgecolor=PAPER,
            zorder=3,
        )
        tag(axes.add_patch(box), gid)
    axes.text(application - 0.8 * sheet.font, number, step["text"], ha="right", **words)


def _draw_phase(canvas, axes, phase, kernel, colours):
    sheet = canvas.sheet
    state = colours.get(phase["state"], {})
    bracket = Rectangle(
        (kernel + 0.5 * sheet.font, phase["first"] + 0.04),
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
    axes.text(kernel + 1.4 * sheet.font, middle, phase["text"], **words)
