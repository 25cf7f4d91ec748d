"""Makes a figure part of the page: its colours follow the page's light or dark, its marks carry tooltips.

What drawing tools write for other programs is taken out (metadata, document type, names of name spaces), so that the
page holds no address of anything outside of itself.
"""

import hashlib
import re
from html import escape

PLACE = re.compile(r' (?:d|x|y|x1|x2|y1|y2|width|height|points)="[^"]*"')  # draws, and says nothing
LONG_NUMBER = re.compile(r"(?<=[ \"(,-])(\d+\.\d)\d+")  # a tenth of a pixel is enough
GROUP = re.compile(r"<(/?)g([^>]*)>\n?")
STYLE = re.compile(r'(<(?:path|use|g|text|tspan) )([^>]*?)style="([^"]*)"')
PATH = re.compile(r' d="([^"]*)"')
# Eight curves that end where they began: how matplotlib draws a circle. Its top is where it begins.
CIRCLE = re.compile(r"M (-?[\d.]+) (-?[\d.]+) ?\n?(?:C (?:-?[\d.]+ ?){6}\n?){8}z")
UNTURNED = re.compile(r' transform="rotate\(-?0(?:\.0)? [^)]*\)"')
ROUND_JOINS = "*{stroke-linejoin: round; stroke-linecap: butt}"  # in each picture; the page's own rule says it once
PATTERN = re.compile(r'<pattern id="(\w+)"(.*?</pattern>)', re.DOTALL)
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
    svg = svg.replace(f'<style type="text/css">{ROUND_JOINS}</style>', "")
    svg = UNTURNED.sub("", svg)
    svg = PLACE.sub(lambda place: LONG_NUMBER.sub(r"\1", place.group(0)), svg)
    svg = PATH.sub(lambda path: f' d="{_tight(path.group(1))}"', svg)
    svg = COLOR.sub(lambda match: f"var(--c{match.group(0)[1:]})", svg)
    svg = re.sub(r'<g id="[^"]*"/>', "", svg)
    hovers = sheet.name == "wide"  # nothing hovers over a telephone or a projector's picture
    svg = re.sub(r'<g id="([^"]*)">', lambda group: _group(group, hovers), svg)
    svg = svg.replace(" xlink:href=", " href=")
    return re.sub(r"\n\s*", "", _without_plain_groups(svg)).strip()


def _tight(path):
    """The same path in a third of its letters: a circle is two arcs, and a letter needs no blanks around it."""
    path = CIRCLE.sub(_circle, path)
    path = re.sub(r"(\d)\.0(?!\d)", r"\1", path)
    return re.sub(r"\s*([MLCQHVZzaA])\s*", r"\1", path).strip()


def _circle(match):
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", match.group(0))]
    heights = numbers[1::2]
    across = round(abs(max(heights) - min(heights)), 2)
    down = across if numbers[1] == min(heights) else -across
    half = across / 2
    arc = f"a {half:g} {half:g} 0 1 0 0"
    return f"M {match.group(1)} {match.group(2)} {arc} {down:g} {arc} {-down:g} z"


def _without_plain_groups(svg):
    """A group without attributes changes nothing, and there are thousands."""
    kept = []  # of each open group: whether its tags stay

    def tag(match):
        closes, attributes = match.groups()
        stays = kept.pop() if closes else bool(attributes.strip()) or svg.startswith("<title>", match.end())
        if not closes:
            kept.append(stays)
        return match.group(0) if stays else ""

    return GROUP.sub(tag, svg)


def share_styles(page):
    """(rules, page): each style of the pictures once for the whole page, under a short name."""
    names = {}

    def named(match):
        start, others, style = match.groups()
        name = names.setdefault(style, f"y{len(names)}")
        return f'{start}{others}class="{name}"'

    page = STYLE.sub(named, page)
    return "\n".join(f".{name}{{{style}}}" for style, name in names.items()), page


def _group(match, hovers):
    """matplotlib's own names mean nothing to anybody; ours become a tooltip and the series to highlight."""
    name = match.group(1)
    kind, _, rest = name.partition(":")
    if kind not in ("series", "point", "part", "event", "mark"):
        return "<g>"
    where, _, said = rest.partition("|")
    series = where.split("::")[0]  # an id has single colons of its own
    return f'<g data-series="{series}">' + (f"<title>{said}</title>" if said and hovers else "")


def share_patterns(page):
    """(definitions, page): each hatching once for the whole page, instead of once in every picture that uses it.

    A pattern of small circles is longer than all the rest of a picture.
    """
    first, same = {}, {}

    def taken_out(match):
        name, pattern = match.groups()
        same[name] = first.setdefault(pattern, name)
        return ""

    page = PATTERN.sub(taken_out, page)
    page = re.sub(r"url\(#(\w+)\)", lambda match: f"url(#{same.get(match.group(1), match.group(1))})", page)
    patterns = "".join(f'<pattern id="{name}"{pattern}' for pattern, name in first.items())
    return f'<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>{patterns}</defs></svg>', page


def shorten_names(page):
    """A short name for each mark, clip path and hatching: matplotlib's are eleven letters, thousands of times."""
    names = {}

    def short(match):
        return match.group(1) + names.setdefault(match.group(2), f"n{len(names)}")

    return re.sub(r'( id="|"#|\(#)([mph][0-9a-f]{10})\b', short, page)


def copied(pictures, language):
    """The pictures once more, for another edition on the same page: what is hidden lends no marks or borders."""

    def other(match):
        start, name = match.groups()
        return f"{start}{name[0]}{hashlib.sha256(f'{language} {name}'.encode()).hexdigest()[:10]}"

    return {
        chart: tuple(re.sub(r'( id="| href="#|url\(#)(\w+)', other, picture) for picture in sheets)
        for chart, sheets in pictures.items()
    }


def color_variables(pictures):
    """(light, dark): one custom property for each colour that any picture uses."""
    used = sorted(
        {
            match
            for picture in pictures
            for match in re.findall(r"var\(--c([0-9a-f]{6})\)", picture)
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
