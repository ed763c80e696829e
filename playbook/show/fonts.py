"""The one font of every figure and report, so that pages look the same on every machine.

No machine's own fonts are used: Chinese text in matplotlib's default font comes out as boxes, and
system fonts differ. The face is Noto Sans SC Regular (SIL Open Font License) from the dependency
``zhplot``; it has the rare characters of family names (镕 喆 堃) and no bold, so nothing asks for
bold.
"""

from __future__ import annotations

import importlib.util
import io
from functools import cache
from pathlib import Path

FAMILY = "Noto Sans SC"


class FontError(RuntimeError):
    """The font file is not where the installation should have put it."""


@cache
def path() -> Path:
    """Where the font file lies. Raises :class:`FontError` when the dependency is not installed."""
    # Only the package's place is wanted: importing it would change matplotlib's settings.
    spec = importlib.util.find_spec("zhplot")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        found = Path(folder) / "fonts" / "NotoSansSC-Regular.ttf"
        if found.is_file():
            return found
    raise FontError("NotoSansSC-Regular.ttf of the package zhplot is missing")


@cache
def register() -> str:
    """Tell matplotlib about the font, once; returns the family name to use."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(str(path()))
    return FAMILY


@cache
def _glyphs() -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path(), lazy=True) as font:
        return frozenset(font.getBestCmap())


def missing(text: str) -> str:
    """The characters of ``text`` the font cannot draw, each once; empty when all are there."""
    return "".join(sorted({c for c in text if ord(c) not in _glyphs() and c.isprintable()}))


def subset(text: str) -> bytes:
    """A WOFF font holding just the characters of ``text``, for embedding into one HTML page.

    The same text gives the same bytes. ASCII is always included, so that a page can show a number
    that was not foreseen.
    """
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    wanted = {ord(c) for c in text} | set(range(0x20, 0x7F))
    options = Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=[1, 2, 4, 6])
    # recalcTimestamp off: the date of today inside the font would change its bytes every day.
    with TTFont(path(), recalcTimestamp=False) as font:
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        font.flavor = "woff"
        out = io.BytesIO()
        font.save(out)
    return out.getvalue()
