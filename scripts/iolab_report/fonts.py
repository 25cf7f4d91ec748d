"""The fonts of the pictures: one for Latin letters, and one for Chinese where it is installed.

matplotlib looks every character up in the whole list, so that a Chinese sentence may name `epoll` and µs.
"""

from matplotlib import font_manager

LATIN = "DejaVu Sans"
CHINESE = "WenQuanYi Micro Hei"
PACKAGE = "fonts-wqy-microhei"


def families():
    return [LATIN, CHINESE] if has_chinese() else [LATIN]


def has_chinese():
    """matplotlib remembers which fonts there were when it first started: look again for one that came later."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    if CHINESE not in known:
        for path in font_manager.findSystemFonts():
            if "wqy-microhei" in path:
                font_manager.fontManager.addfont(path)
        known = {font.name for font in font_manager.fontManager.ttflist}
    return CHINESE in known
