"""The sheet of paper: sizes, fonts and inks of every figure, and how it becomes a file.

Four sheets are drawn of each chart. `file` is the 1280 x 720 picture for slides, with title and source on it. `wide`,
`narrow` and `slide` (for the page's projector mode) stand inside the page, which sets title and caption itself and
shows the one that fits the screen.
A file drawn twice from the same results is the same byte for byte.
"""

import io
import re
from dataclasses import dataclass

import matplotlib
import matplotlib.ticker
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import fonts

INK = "#1b1f24"
SOFT_INK = "#59616b"
RULE = "#d5d9de"
PAPER = "#ffffff"
DPI = 100

matplotlib.rcParams.update(
    {
        "font.family": fonts.families(),
        "axes.unicode_minus": False,
        "hatch.linewidth": 0.9,
        "path.simplify": False,
        "svg.image_inline": True,
    }
)


@dataclass(frozen=True)
class Sheet:
    name: str
    width: int  # px
    height: int  # px
    font: float  # px, of the labels
    titled: bool
    margin: int  # px, left and right
    line: float = 1.0  # factor on every line width and marker size
    step: float = 0.86  # from one size of text to the next smaller one
    is_fixed: bool = False  # the chart takes the height that there is, not the one that it would like

    @property
    def is_narrow(self):
        return self.width < 700

    @property
    def small(self):
        return self.font * self.step

    @property
    def tiny(self):
        return self.small * self.step


FILE = Sheet("file", 1280, 720, 18, titled=True, margin=44, line=1.25, is_fixed=True)
WIDE = Sheet("wide", 1120, 560, 15, titled=False, margin=10)
SLIDE = Sheet("slide", 1152, 470, 21.5, titled=False, margin=4, line=1.6, step=1.0, is_fixed=True)
NARROW = Sheet("narrow", 400, 460, 12.5, titled=False, margin=4, line=0.85)


class Canvas:
    """A figure whose coordinates are pixels from the top left corner, as a typesetter thinks of a page."""

    def __init__(self, sheet, height=None):
        self.sheet = sheet
        self.width = sheet.width
        self.height = height or sheet.height
        self.figure = Figure(figsize=(self.width / DPI, self.height / DPI), dpi=DPI, facecolor=PAPER)
        self.renderer = FigureCanvasAgg(self.figure).get_renderer()
        self.top = 0.0
        self.bottom = float(self.height)

    def text(self, x, y, text, size=None, color=INK, ha="left", va="baseline", weight="normal", **more):
        return self.figure.text(
            x / self.width,
            1 - y / self.height,
            text,
            fontsize=points(size or self.sheet.font),
            color=color,
            ha=ha,
            va=va,
            weight=weight,
            **more,
        )

    def text_width(self, text, size=None, weight="normal"):
        artist = self.figure.text(0, 0, text, fontsize=points(size or self.sheet.font), weight=weight)
        width = artist.get_window_extent(self.renderer).width
        artist.remove()
        return width

    def wrapped(self, text, width, size, weight="normal"):
        """The text in as many lines as it needs to stay within `width` pixels."""
        lines, line = [], ""
        for piece in pieces(text):
            if line and self.text_width((line + piece).rstrip(), size, weight) > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
        return lines + [line.rstrip()] if line else lines

    def axes(self, left, top, width, height):
        return self.figure.add_axes(
            [left / self.width, 1 - (top + height) / self.height, width / self.width, height / self.height]
        )

    def heading(self, chart, source):
        """Title, subtitle and source of a figure that has to stand alone; sets what is left between them."""
        if not self.sheet.titled:
            self.top, self.bottom = 8.0, self.height - 6.0
            return
        margin = self.sheet.margin
        y = 54.0
        for line in self.wrapped(chart["title"], self.width - 2 * margin, 29, "bold"):
            self.text(margin, y, line, size=29, weight="bold")
            y += 36
        for line in self.wrapped(chart.get("subtitle", ""), self.width - 2 * margin, 17):
            self.text(margin, y - 4, line, size=17, color=SOFT_INK)
            y += 23
        self.text(margin, self.height - 18, source, size=13.5, color=SOFT_INK)
        self.top, self.bottom = y + 8, self.height - 40.0

    def svg(self, salt, text_as_text):
        """The figure as SVG text. The salt keeps the names of its parts apart from those of other figures."""
        out = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none" if text_as_text else "path"}):
            self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, facecolor=PAPER)
        return out.getvalue()

    def save_png(self, path):
        self.figure.savefig(path, format="png", metadata={"Software": None}, facecolor=PAPER)


def pieces(text):
    """Where a line may be broken: after a word and its space; in Chinese after any character that is not followed by
    a closing mark."""
    wide = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
    closing = r"[，。、；：！？）》”’]"
    return re.findall(rf"(?:{wide}|(?:(?!{wide})\S)+){closing}*\s*", " ".join(text.split()))


def points(pixels):
    return pixels * 72 / DPI


def line_style(series):
    dash = series.get("dash", "solid")
    return (0, tuple(dash)) if isinstance(dash, list) else dash


def plain_axes(axes):
    """No frame, no ticks of matplotlib's own choosing."""
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_facecolor("none")


def set_ticks(axes, which, axis, sheet):
    """Scale, range and ticks exactly as the file says."""
    if axis.get("scale") == "log":
        getattr(axes, f"set_{which}scale")("log")
    if axis.get("min") is not None and axis.get("max") is not None:
        getattr(axes, f"set_{which}lim")(axis["min"], axis["max"])
    ticks = axis.get("ticks", [])
    getattr(axes, f"set_{which}ticks")([tick["at"] for tick in ticks])
    getattr(axes, f"set_{which}ticklabels")(
        [tick["label"] for tick in ticks], fontsize=points(sheet.small), color=SOFT_INK
    )
    getattr(axes, f"{which}axis").set_minor_locator(matplotlib.ticker.NullLocator())


def axis_title(axis):
    named = axis.get("label", "")
    if axis.get("unit"):
        named += f" ({axis['unit']})"
    return named


def tag(artist, gid):
    """Names an artist in the SVG, so that the page can give it a tooltip and find its series."""
    artist.set_gid(gid)
    return artist
