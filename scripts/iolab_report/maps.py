"""The map: a place for each model at each level, told apart by its text and pattern, not by its colour."""

from matplotlib.patches import Rectangle

from .canvas import INK, PAPER, SOFT_INK, tag

# Ground and pattern of a place; the text on it says the same.
LOOKS = {
    "alone": ("#f0e442", ""),
    "tied": ("#e3e6ea", "///"),
    "apart": (PAPER, ""),
    "unknown": (PAPER, "..."),
    "missing": (PAPER, "xxx"),
}


def rows_of(chart):
    return [row for panel in chart["panels"] for row in panel["rows"]]


def height(sheet, chart):
    row = (2.0 if sheet.is_narrow else 2.15) * sheet.font
    return int(len(rows_of(chart)) * row + 8.5 * sheet.font)


def draw(canvas, chart, series, source):
    canvas.heading(chart, source)
    sheet, rows, columns = canvas.sheet, rows_of(chart), chart["columns"]
    names = max(canvas.text_width(_named(row), sheet.small, "bold") for row in rows)
    left, top = sheet.margin + names + sheet.font, canvas.top + _key(canvas, chart)
    width = (canvas.width - left - sheet.margin) / len(columns)
    heads = [canvas.wrapped(column["label"], width - 8, sheet.small)[:3] for column in columns]
    top += max(len(lines) for lines in heads) * 1.25 * sheet.small + 0.4 * sheet.font
    tall = (canvas.bottom - top - 4) / len(rows)
    for number, lines in enumerate(heads):
        middle = left + (number + 0.5) * width
        for up, line in enumerate(reversed(lines)):
            y = top - 0.45 * sheet.font - up * 1.25 * sheet.small
            canvas.text(middle, y, line, size=sheet.small, color=SOFT_INK, ha="center")
    for number, row in enumerate(rows):
        y = top + number * tall
        canvas.text(
            left - 0.6 * sheet.font, y + tall / 2, _named(row), size=sheet.small, weight="bold", ha="right", va="center"
        )
        for place, cell in enumerate(row["cells"]):
            _draw_place(canvas, (left + place * width, y, width, tall), row, cell)


def _named(row):
    return f"{row['letter']}  {row['label']}"


def _draw_place(canvas, box, row, cell):
    sheet = canvas.sheet
    x, y, width, tall = box
    patch = _rectangle(canvas, (x + 2, y + 2, width - 4, tall - 4), cell["state"])
    tag(patch, f"mark:{row['series']}|{row['label']}: {cell['text']}")
    canvas.text(
        x + width / 2,
        y + tall / 2,
        cell["text"],
        size=sheet.small,
        weight="bold" if cell["state"] in ("alone", "tied") else "normal",
        ha="center",
        va="center",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": LOOKS[cell["state"]][0], "edgecolor": "none"},
    )


def _rectangle(canvas, box, state):
    x, y, width, tall = box
    ground, hatch = LOOKS[state]
    patch = Rectangle(
        (x / canvas.width, 1 - (y + tall) / canvas.height),
        width / canvas.width,
        tall / canvas.height,
        transform=canvas.figure.transFigure,
        facecolor=ground,
        edgecolor=SOFT_INK,
        hatch=hatch,
        linewidth=0.8,
    )
    return canvas.figure.add_artist(patch)


def _key(canvas, chart):
    """The states that occur, in words, above the grid. Returns the height that this takes."""
    sheet = canvas.sheet
    used = {cell["state"] for row in rows_of(chart) for cell in row["cells"]}
    x, y, box = sheet.margin, canvas.top + 1.0 * sheet.font, 0.95 * sheet.font
    for state in chart["states"]:
        if state["id"] not in used:
            continue
        width = canvas.text_width(state["label"], sheet.small) + 1.9 * box
        if x + width > canvas.width - sheet.margin and x > sheet.margin:
            x, y = sheet.margin, y + 1.5 * sheet.font
        _rectangle(canvas, (x, y - box, 1.5 * box, box), state["id"])
        canvas.text(x + 1.9 * box, y, state["label"], size=sheet.small, color=INK)
        x += width + 1.4 * sheet.font
    return y - canvas.top + 1.0 * sheet.font


