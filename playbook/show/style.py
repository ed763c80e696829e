"""Colours, sizes and lines of all figures: calm, printable, no red that must be told from green.

Order is carried by lightness (tiers), alarm by warm colours of different lightness (status), and
every mark is labelled beside it, so that no figure depends on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from playbook.show import fonts

INK = "#1f2a37"
MUTED = "#5f6b7a"
FAINT = "#9aa5b1"
LINE = "#d5dbe2"
PAPER = "#ffffff"
BLUE = "#1f4e79"
TEAL = "#2a7f8e"
WARM = "#b8561b"
GREY = "#c3cad2"
_RAMP = ("#d3e0ec", "#a9c4dd", "#739dc5", "#3f74a8", "#153d68")

STATUS = {
    "lost": "#8c2d19", "churn_warning": "#c4562b", "downgrade_warning": "#e39a55",
    "dormant": "#8d8a83", "new": "#7fb8c2", "upgrading": "#2a7f8e", "recovered": "#16565f",
    "stable": "#c9d4df",
}  # fmt: skip

WIDTH = 7.6  # inches; 760 css pixels at the 100 dpi a page assumes
DPI = 160
BASE, SMALL, TITLE = 9.0, 8.0, 12.5  # points


def settings() -> dict[str, object]:
    """matplotlib settings of every figure. ``svg.hashsalt`` and no metadata keep bytes the same."""
    return {
        "font.family": [fonts.register()], "font.size": BASE, "text.color": INK,
        "axes.edgecolor": LINE, "axes.labelcolor": MUTED, "axes.labelsize": SMALL,
        "axes.titlesize": BASE, "axes.titlecolor": MUTED, "axes.titlelocation": "left",
        "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False,
        "axes.unicode_minus": True, "axes.axisbelow": True, "axes.grid": False,
        "xtick.color": MUTED, "ytick.color": INK, "xtick.labelsize": SMALL,
        "ytick.labelsize": BASE, "xtick.major.size": 0, "ytick.major.size": 0,
        "grid.color": LINE, "grid.linewidth": 0.6, "figure.facecolor": PAPER,
        "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
        "svg.hashsalt": "playbook",
    }  # fmt: skip


def ramp(n: int) -> list[str]:
    """``n`` blues from light to dark, for things that have an order."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    scale = LinearSegmentedColormap.from_list("ramp", _RAMP)
    return [to_hex(scale(i / max(n - 1, 1))) for i in range(n)]


def on(colour: str) -> str:
    """The text colour that reads on ``colour``."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else PAPER


def em(text: str) -> float:
    """Rough width of ``text`` in font sizes: Chinese characters 1, others about a half."""
    return sum(1.0 if ord(c) > 0x2E7F else 0.56 for c in text)


def wrap(text: str, width: float) -> str:
    """``text`` in lines of at most ``width`` em, broken between Chinese characters or at spaces."""
    closing = "，。、；：）》」·%,.;:)"
    lines, line = [], ""
    for piece in _pieces(text):
        if line and em(line + piece.rstrip()) > width and piece not in closing:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return "\n".join([*lines, line.rstrip()])


def _pieces(text: str) -> Sequence[str]:
    pieces: list[str] = []
    for char in text:
        wide = ord(char) > 0x2E7F
        if pieces and not wide and not pieces[-1][-1].isspace() and ord(pieces[-1][-1]) <= 0x2E7F:
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces
