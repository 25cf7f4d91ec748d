"""The page: one file that opens offline, says first what was found, and leaves out nothing of results.json.

It holds an edition for each language; two radio buttons and a rule of CSS choose between them, so that this works
without scripts. Everything that comes from the run is escaped. The policy in the page's head forbids it to fetch.
"""

from html import escape
from pathlib import Path

from . import blocks, inline_svg, shorten

HERE = Path(__file__).resolve().parent
LIGHT = {
    "page": "#fbfbf9", "card": "#ffffff", "ink": "#1b1f24", "soft": "#59616b", "rule": "#d9dce1", "edge": "#7d858f",
    "accent": "#00578a", "warn": "#c24e00",
}  # fmt: skip
DARK = {
    "page": "#0e0f11", "card": "#171717", "ink": "#eceef0", "soft": "#a3abb4", "rule": "#34383e", "edge": "#7f8791",
    "accent": "#6cb8ea", "warn": "#f08a3c",
}  # fmt: skip
FONTS = (
    "--sans:system-ui,-apple-system,'Segoe UI','Noto Sans','Liberation Sans',Arial,'PingFang SC','Microsoft YaHei',"
    "'Noto Sans CJK SC','WenQuanYi Micro Hei',sans-serif;"
    "--mono:ui-monospace,'SF Mono','DejaVu Sans Mono','Liberation Mono',monospace;"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def render(editions):
    """The whole page; the first edition is the one that is shown."""
    patterns, mains = inline_svg.share_patterns("\n".join(_main(edition) for edition in editions))
    rules, pictures = inline_svg.share_styles(inline_svg.shorten_names(f"{mains}\n{patterns}"))
    pictures = shorten.shorter(pictures)
    run = editions[0].results["run"]
    title = run.get("question") or run.get("experiment", "")
    return (
        f'<!doctype html>\n<html lang="{editions[0].tag}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)} · iolab</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<style>\n{_style(editions)}\n{rules}\n</style>\n</head>\n<body>\n{_switches(editions)}\n"
        + f"{pictures}\n{_remote(editions[0])}\n<script>\n{_script()}</script>\n</body>\n</html>\n"
    )


def _main(edition):
    links = "".join(
        f'<a href="#{edition.anchor(name)}">{edition.words.html(f"section.{name}")}</a>' for name in blocks.NAMES
    )
    body = [block(edition) for block in blocks.IN_ORDER]
    contents = f'<nav class="offstage" aria-label="{edition.words.html("contents")}">{links}</nav>'
    run = edition.results["run"]
    head = "\n".join(part for part in (blocks.header(edition), blocks.predict(edition)) if part)
    said = edition.words(
        "stage_footer", run=run.get("id", ""), trials=run.get("repeat", "-"), machine=run.get("machine", "")
    )
    return (
        f'<main lang="{edition.tag}" data-sort="{edition.words.html("sort")}" data-source="{escape(said)}">\n'
        + "\n".join([head, body[0], contents, *body[1:], blocks.footer(edition)])
        + "\n</main>"
    )


def _switches(editions):
    """EN | 中文 without scripts, then the buttons that need them. Siblings of <main>, so that CSS can tell."""
    languages = []
    if len(editions) > 1:
        for edition in editions:
            chosen = " checked" if edition is editions[0] else ""
            languages.append(
                f'<input type="radio" name="language" id="speak-{edition.language}"{chosen}>'
                f'<label for="speak-{edition.language}" lang="{edition.tag}">'
                f"{edition.words.html('language_name')}</label>"
            )
    buttons = (
        f'<button id="{name}" type="button" hidden>{_in_each(editions, key)}</button>'
        for name, key in (("stage", "projector"), ("theme", "theme"))
    )
    return "".join(languages) + "".join(buttons)


def _in_each(editions, key):
    """A word of what stands outside of <main>, once for each language; CSS shows one."""
    return "".join(f'<span lang="{edition.tag}">{edition.words.html(key)}</span>' for edition in editions)


def _remote(edition):
    """What stands below a slide in projector mode."""
    words = edition.words
    return (
        '<div id="remote" hidden><span id="source"></span>'
        f'<button id="back" type="button" aria-label="{words.html("previous")}">◀</button>'
        '<span id="place" aria-live="polite"></span>'
        f'<button id="forth" type="button" aria-label="{words.html("next")}">▶</button></div>'
    )


def _script():
    return "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.js", "projector.js"))


def _style(editions):
    pictures = [picture for edition in editions for sheets in edition.pictures.values() for picture in sheets]
    more_light, more_dark = inline_svg.color_variables(pictures)
    light = _variables(LIGHT) + more_light + "color-scheme:light;"
    dark = _variables(DARK) + more_dark + "color-scheme:dark;"
    chosen = "".join(
        f"#speak-{edition.language}:checked~main:not([lang={edition.tag}]),"
        f"#speak-{edition.language}:checked~button>:not([lang={edition.tag}]){{display:none}}\n"
        for edition in editions
    )
    return (
        f":root{{{FONTS}{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n{chosen if len(editions) > 1 else ''}"
        + "".join((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "projector.css"))
    )


def _variables(colors):
    return "".join(f"--{name}:{color};" for name, color in colors.items())
