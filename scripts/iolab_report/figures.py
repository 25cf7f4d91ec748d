"""Every chart of a run: as files for slides, and as the inline pictures of the page, one for each kind of screen."""

from . import bars, fonts, forest, ladder, lines, maps, timeline
from .canvas import FILE, NARROW, SLIDE, WIDE, Canvas
from .inline_svg import for_page
from .results import series_by_id

KINDS = {"lines": lines, "bars": bars, "timeline": timeline, "forest": forest, "map": maps,
         "ladder": ladder}  # fmt: skip
SHEETS = (WIDE, NARROW, SLIDE)


def can_write(language):
    """Whether there is a font for this language's letters."""
    return language != "zh" or fonts.has_chinese()


def draw_all(results, directory):
    """Writes the files; returns {chart id: one picture for each of SHEETS} as markup for the page."""
    language = results["run"].get("language") or "en"
    series = series_by_id(results)
    source = source_line(results["run"])
    pictures = {}
    for chart in results["charts"]:
        kind = KINDS.get(chart["kind"])
        if kind is None or not (chart.get("panels") or chart.get("steps")):
            continue
        name = chart["id"] if language == "en" else f"{chart['id']}.{language}"
        canvas = Canvas(FILE)
        kind.draw(canvas, chart, series, source)
        canvas.save_png(directory / f"{name}.png")
        (directory / f"{name}.svg").write_text(canvas.svg(name, text_as_text=False), encoding="utf-8")
        pictures[chart["id"]] = tuple(_inline(kind, chart, series, sheet, name) for sheet in SHEETS)
    return pictures


def source_line(run):
    parts = ["iolab", run.get("id", ""), run.get("machine", ""), run.get("started", "")[:10]]
    return "  ·  ".join(part for part in parts if part)


def _inline(kind, chart, series, sheet, name):
    height = kind.height(sheet, chart) if hasattr(kind, "height") and not sheet.is_fixed else None
    canvas = Canvas(sheet, height)
    kind.draw(canvas, chart, series, "")
    svg = canvas.svg(f"{name}-{sheet.name}", text_as_text=True)
    return for_page(svg, chart.get("alt") or chart["title"], sheet)
