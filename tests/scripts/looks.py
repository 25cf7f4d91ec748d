"""The looks of the eleven models as readers know them, the example with all of them in it, and what a black and white
print leaves of a picture.
"""

import numpy

from example_run import english

# Of each model: colour (Okabe and Ito's), marker, dash, hatch and width of its line. Figures are compared by these.
LOOKS = {
    "blocking": ("#000000", "o", "solid", "", 1.6),
    "blocking-pool": ("#000000", "h", "dashed", "..", 1.4),
    "nonblocking": ("#D55E00", "X", "dotted", "xxxx", 1.8),
    "select": ("#CC79A7", "^", "dashdot", "\\\\", 1.6),
    "poll": ("#E69F00", "v", [9, 3], "--", 1.6),
    "epoll": ("#0072B2", "s", "solid", "", 2.4),
    "epoll-et": ("#0072B2", "P", "dashed", "||", 1.4),
    "sigio": ("#56B4E9", "D", "dashed", "..", 1.6),
    "posix-aio": ("#999999", "p", [7, 2, 1.5, 2, 1.5, 2], "oo", 1.6),
    "io_uring": ("#009E73", "*", [14, 2, 1.5, 2], "//", 1.8),
    "io_uring-multishot": ("#009E73", "d", "dashed", "++", 1.4),
}
MEMBERS = ("color", "marker", "dash", "hatch", "line_width")
GREY = (0.2126, 0.7152, 0.0722)  # how bright red, green and blue are to the eye, as CSS has it for grayscale()


def look_of(model):
    return dict(zip(MEMBERS, LOOKS[model], strict=True))


def everybody():
    """The example with all eleven models, and one entered again, as level lines one above the other."""
    results = english()
    known = {series["id"]: series for series in results["series"]}
    named = [{**known["epoll"], "id": name, "label": name, **look_of(name)} for name in LOOKS]
    results["series"] = [*named, known["epoll (again)"]]
    chart = results["charts"][0]
    chart["y"].update(scale="linear", min=0, max=13, ticks=[{"at": at, "label": f"{at}"} for at in (0, 5, 10)])
    entries = [
        {"id": series["id"], "points": [level_point(tick["at"], place) for tick in chart["x"]["ticks"]]}
        for place, series in enumerate(results["series"], 1)
    ]
    chart["panels"] = [{"title": "", "series": entries, "marks": []}]
    return results


def level_point(at, value):
    return {"at": at, "value": value, "low": None, "high": None, "values": [], "text": f"{value} us"}


def lightness(color):
    """From 0, black, to 1, white."""
    return sum(share * int(color[at : at + 2], 16) / 255 for share, at in zip(GREY, (1, 3, 5)))


def on_grey(pixels):
    """Rows of pixels of red, green and blue, as a black and white printer puts them down: 0 is ink, 1 is paper."""
    return pixels[:, :, :3] @ numpy.array(GREY)


def differing(one, other):
    """Which share of what is drawn in either of two grey pictures is plainly darker in one than in the other."""
    drawn = (one < 0.95) | (other < 0.95)
    return float((abs(one - other) > 0.2)[drawn].mean()) if drawn.any() else 0.0


def most_alike(pictures):
    """(share that differs, name, name) of the two of the named grey pictures that are most alike."""
    names = list(pictures)
    return min(
        (differing(pictures[one], pictures[other]), one, other)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
    )
