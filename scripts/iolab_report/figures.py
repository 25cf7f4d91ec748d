"""Every chart of a run, three times: as files for slides, and as the two inline pictures of the page."""

from . import bars, forest, lines, timeline
from .canvas import FILE, NARROW, WIDE, Canvas
from .inline_svg import for_page
from .results import series_by_id

KINDS = {"lines": lines, "bars": bars, "timeline": timeline, "forest": forest}


def draw_all(results, directory):
    """Writes the files; returns {chart id: (wide, narrow)} as markup for the page."""
    series = series_by_id(results)
    source = source_line(results["run"])
    pictures = {}
    for chart in results["charts"]:
        kind = KINDS.get(chart["kind"])
        if kind is None or not chart["panels"]:
            continue
        canvas = Canvas(FILE)
        kind.draw(canvas, chart, series, source)
        canvas.save_png(directory / f"{chart['id']}.png")
        (directory / f"{chart['id']}.svg").write_text(canvas.svg(chart["id"], text_as_text=False), encoding="utf-8")
        pictures[chart["id"]] = tuple(_inline(kind, chart, series, sheet) for sheet in (WIDE, NARROW))
    return pictures


def source_line(run):
    parts = ["iolab", run.get("id", ""), run.get("machine", ""), run.get("started", "")[:10]]
    return "  ·  ".join(part for part in parts if part)


def _inline(kind, chart, series, sheet):
    height = kind.height(sheet, chart) if hasattr(kind, "height") else None
    canvas = Canvas(sheet, height)
    kind.draw(canvas, chart, series, "")
    return for_page(
        canvas.svg(f"{chart['id']}-{sheet.name}", text_as_text=True), chart.get("alt") or chart["title"], sheet
    )
