"""The sign of a series in a table: its line and marker, small, without a drawing library.

The colour goes through the page's variables like those of the pictures, so that black turns white on a dark page.
"""

from html import escape

DASHES = {
    "solid": "",
    "dashed": "5 2.5",
    "dotted": "1.5 2.5",
    "dashdot": "6 2.5 1.5 2.5",
    "-": "",
    "--": "5 2.5",
    ":": "1.5 2.5",
    "-.": "6 2.5 1.5 2.5",
}
SHAPES = {
    "o": '<circle cx="27" cy="9" r="4.6"/>',
    "s": '<rect x="22.6" y="4.6" width="8.8" height="8.8"/>',
    "^": '<path d="M27 3.6l5.2 9.6h-10.4z"/>',
    "v": '<path d="M27 14.4l5.2-9.6h-10.4z"/>',
    "<": '<path d="M21.6 9l9.6-5.2v10.4z"/>',
    ">": '<path d="M32.4 9l-9.6-5.2v10.4z"/>',
    "D": '<path d="M27 3l6 6l-6 6l-6-6z"/>',
    "d": '<path d="M27 3l4 6l-4 6l-4-6z"/>',
    "x": '<path d="M23 5l8 8m0-8l-8 8" stroke-width="2.4"/>',
    "X": '<path d="M23 5l8 8m0-8l-8 8" stroke-width="3.6"/>',
    "+": '<path d="M27 4v10m-5-5h10" stroke-width="2.4"/>',
    "P": '<path d="M27 4v10m-5-5h10" stroke-width="4"/>',
    "*": '<path d="M27 2.6l1.6 4.4h4.6l-3.7 2.9l1.4 4.6l-3.9-2.8l-3.9 2.8l1.4-4.6l-3.7-2.9h4.6z"/>',
    "p": '<path d="M27 3.8l5.2 3.8l-2 6h-6.4l-2-6z"/>',
    "h": '<path d="M27 3.6l4.8 2.7v5.4l-4.8 2.7l-4.8-2.7v-5.4z"/>',
    "H": '<path d="M24.3 4.2h5.4l2.7 4.8l-2.7 4.8h-5.4l-2.7-4.8z"/>',
    "8": '<path d="M25 4h4l3 3v4l-3 3h-4l-3-3v-4z"/>',
    "_": '<path d="M21 9h12" stroke-width="3.2"/>',
}


def swatch(series):
    dash = series.get("dash", "solid")
    dashes = " ".join(str(part) for part in dash) if isinstance(dash, list) else DASHES.get(dash, "")
    color = escape(series.get("color", "#59616b").lower())
    shape = SHAPES.get(series.get("marker"), SHAPES["o"])
    ink = f"var(--c{color[1:]},{color})"
    return (
        f'<svg class="swatch" viewBox="0 0 54 18" aria-hidden="true" style="stroke:{ink};fill:none">'
        f'<path d="M0 9H54" stroke-dasharray="{dashes}" stroke-width="{series.get("line_width", 1.6):g}"/>'
        f'<g style="fill:{"var(--card)" if series.get("role", "model") != "model" else ink}">{shape}</g></svg>'
    )
