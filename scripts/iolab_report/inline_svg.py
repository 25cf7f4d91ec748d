"""Makes a figure part of the page: its colours follow the page's light or dark, its marks carry tooltips.

What drawing tools write for other programs is taken out (metadata, document type, names of name spaces), so that the
page holds no address of anything outside of itself.
"""

import re
from html import escape

COLOR = re.compile(r"#[0-9a-f]{6}\b")


def for_page(svg, alt, sheet):
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg)
    view = re.search(r'viewBox="([^"]*)"', svg).group(1)
    svg = re.sub(
        r"<svg[^>]*>",
        f'<svg class="{sheet.name}" viewBox="{view}" role="img" aria-label="{escape(alt)}">',
        svg,
        count=1,
    )
    svg = re.sub(r"font: ((?:\w+ )?)([\d.]+px) 'DejaVu Sans'[^;\"]*", r"font: \1\2 var(--sans)", svg)
    svg = COLOR.sub(lambda match: f"var(--c{match.group(0)[1:]})", svg)
    svg = re.sub(r'<g id="[^"]*"/>', "", svg)
    svg = re.sub(r'<g id="([^"]*)">', _group, svg)
    return re.sub(r"\n\s*", "\n", svg).strip()


def _group(match):
    """matplotlib's own names mean nothing to anybody; ours become a tooltip and the series to highlight."""
    name = match.group(1)
    kind, _, rest = name.partition(":")
    if kind not in ("series", "point", "part", "event", "mark"):
        return "<g>"
    where, _, said = rest.partition("|")
    series = where.split(":")[0]
    return f'<g data-series="{series}">' + (f"<title>{said}</title>" if said else "")


def color_variables(pictures):
    """(light, dark): one custom property for each colour that any picture uses."""
    used = sorted(
        {
            match
            for wide, narrow in pictures.values()
            for match in re.findall(r"var\(--c([0-9a-f]{6})\)", wide + narrow)
        }
    )
    light = "".join(f"--c{color}:#{color};" for color in used)
    dark = "".join(f"--c{color}:{darkened(color)};" for color in used)
    return light, dark


def darkened(color):
    """The colour for a dark page: greys change places with each other, dark colours gain light and keep their name."""
    parts = [int(color[at : at + 2], 16) for at in (0, 2, 4)]
    if max(parts) - min(parts) < 24:
        light = round(255 * (0.93 - 0.84 * sum(parts) / 765))
        parts = [light] * 3
    else:
        brightness = (0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]) / 255
        white = max(0.0, 0.55 - brightness) * 0.9
        parts = [round(part + (255 - part) * white) for part in parts]
    return "#" + "".join(f"{part:02x}" for part in parts)
