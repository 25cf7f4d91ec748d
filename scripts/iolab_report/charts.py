"""A chart on the page: what was found, what is measured, the picture, and the same as a table."""

from html import escape

from .results import source_of, tick_label
from .tables import facts_table


def figure(edition, chart):
    words = edition.words
    shown = "\n".join(edition.pictures.get(chart["id"], ()))
    table = facts_table(*_as_table(edition, chart), caption=chart["title"])
    return (
        f'<figure class="step" id="{edition.anchor("chart-" + escape(chart["id"]))}">\n'
        f'<figcaption><h3>{escape(chart["title"])}</h3>'
        f'<p class="sub">{escape(chart.get("subtitle", ""))}</p></figcaption>\n{shown}\n'
        f'<details><summary>{words.html("show_as_table")}</summary>{table}</details>\n</figure>'
    )


def _as_table(edition, chart):
    """(heads, rows) of everything that the picture shows."""
    tables = {"timeline": _events, "forest": _ratios, "lines": _points, "map": _places, "ladder": _steps}
    table = tables.get(chart["kind"], _bars)
    return table(edition, chart)


def _ratios(edition, chart):
    words = edition.words
    rows = [
        (edition.series[row["series"]]["label"], row["text"], row["word"])
        for panel in chart["panels"]
        for row in panel["rows"]
    ]
    return (words("model"), words("ratio_range"), words("word")), rows


def _points(edition, chart):
    words = edition.words
    rows = [
        (
            edition.series[entry["id"]]["label"],
            " ".join(part for part in (panel.get("title"), tick_label(chart["x"], point["at"])) if part)
            or f"{point['at']}",
            point.get("text") if point.get("value") is not None else "-",
            _trials(point),
        )
        for panel in chart["panels"]
        for entry in panel["series"]
        for point in entry["points"]
    ]
    return (words("model"), chart["x"]["label"], chart["y"]["label"], words("parts_or_trials")), rows


def _places(edition, chart):
    heads = (edition.words("model"), *(column["label"] for column in chart["columns"]))
    rows = [
        (f"{row['letter']} {row['label']}", *(cell["text"] for cell in row["cells"]))
        for panel in chart["panels"]
        for row in panel["rows"]
    ]
    return heads, rows


def _bars(edition, chart):
    words = edition.words
    rows = []
    for panel in chart["panels"]:
        for bar in panel.get("bars", ()):
            parts = "; ".join(f"{part['part']} {part['text']}" for part in bar.get("parts", ()))
            missing = bar.get("missing") or words("not_measured")
            text = bar.get("text") if bar.get("value") is not None else missing
            rows.append((bar["label"], panel.get("title", ""), text, parts or _trials(bar)))
    return (words("model"), words("panel"), chart["x"]["label"], words("parts_or_trials")), rows


def _trials(point):
    return ", ".join(f"{value:g}" for value in point.get("values") or () if value is not None)


def _steps(edition, chart):
    words = edition.words
    rows = [(step["at"], step["text"], source_of(step)) for step in chart["steps"]]
    return tuple(words(key) for key in ("from_us", "what", "called_at")), rows


def _events(edition, chart):
    words = edition.words
    rows = []
    for panel in chart["panels"]:
        for lane in panel["lanes"]:
            if lane.get("missing"):
                rows.append((lane["title"], "", "", "", lane["missing"], ""))
            for event in lane["events"]:
                thread = lane["threads"][event["thread"]] if event["thread"] < len(lane["threads"]) else ""
                what = event.get("text") or event.get("call") or event["state"]
                times = (f"{event['from_us']:g}", f"{event['to_us']:g}")
                rows.append((lane["title"], thread, *times, what, source_of(event)))
    return tuple(words(key) for key in ("model", "thread", "from_us", "to_us", "what", "called_at")), rows
