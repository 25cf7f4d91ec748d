"""The page: one file that opens offline, says first what was found, and leaves out nothing of results.json.

Everything that comes from the run is escaped. The policy in the page's head forbids it to fetch anything.
"""

from html import escape
from pathlib import Path

from . import sections

HERE = Path(__file__).resolve().parent
LIGHT = (
    "--page:#fbfbf9;--card:#ffffff;--ink:#1b1f24;--soft:#59616b;--rule:#d9dce1;--accent:#00578a;--warn:#d55e00;"
    "color-scheme:light;"
)
DARK = (
    "--page:#0e0f11;--card:#171717;--ink:#eceef0;--soft:#a3abb4;--rule:#34383e;--accent:#6cb8ea;--warn:#f08a3c;"
    "color-scheme:dark;"
)
FONTS = (
    "--sans:system-ui,-apple-system,'Segoe UI','Noto Sans','Liberation Sans',Arial,sans-serif;"
    "--mono:ui-monospace,'SF Mono','DejaVu Sans Mono','Liberation Mono',monospace;"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def render(results, pictures, complaint):
    run = results["run"]
    title = run.get("question") or run.get("experiment", "")
    body = [
        sections.header(results),
        "<main>",
        sections.found(results),
        sections.hero(results, pictures),
        sections.how_sure(results, pictures),
        sections.also_found(results),
        sections.notes(results, complaint),
        sections.charts(results, pictures),
        sections.tables(results),
        sections.every_number(results),
        sections.not_run(results),
        sections.nothing(results),
        sections.who_is_who(results),
        sections.ceilings(results),
        sections.method(results),
        sections.next_steps(results),
        "</main>",
        sections.footer(results),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)} · iolab</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<style>\n{_style(pictures)}\n</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + f"\n<script>\n{(HERE / 'page.js').read_text(encoding='utf-8')}</script>\n</body>\n</html>\n"
    )


def _style(pictures):
    light, dark = LIGHT, DARK
    if pictures:
        from .inline_svg import color_variables

        more_light, more_dark = color_variables(pictures)
        light, dark = light + more_light, dark + more_dark
    return (
        f":root{{{FONTS}{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n" + (HERE / "page.css").read_text(encoding="utf-8")
    )
