"""The sheet every figure is drawn on: header lines, alt text, the same bytes every time."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Sequence
from html import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from playbook.show import style
from playbook.show.pages import Page

HEADER, LINE_HEIGHT, FOOT = 0.30, 0.19, 0.08  # inches
_LINE_EM = style.WIDTH * 72 / style.SMALL - 3


class Chart(Figure):
    """A matplotlib figure with its words: ``alt`` says in a sentence what can be seen.

    A notebook shows it as a PNG whose metadata carry the alt text and the size on the page; no
    pyplot, hence no global state and nothing that a backend could lose.
    """

    alt: str = ""

    def png(self) -> bytes:
        """The picture; the same figure gives the same bytes."""
        with mpl.rc_context(style.settings()):
            out = io.BytesIO()
            # Not savefig: it draws everything twice.
            FigureCanvasAgg(self).print_png(out, metadata={"Software": None})
        return out.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        width, height = (round(inches * 100) for inches in self.get_size_inches())
        data = {"image/png": base64.b64encode(self.png()).decode("ascii"), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": width, "height": height}}

    def html(self) -> str:
        """The picture as an ``img`` element, for widgets."""
        source = f"data:image/png;base64,{base64.b64encode(self.png()).decode('ascii')}"
        return f'<img class="pb-chart" alt="{escape(self.alt)}" src="{source}">'


def drawn(function: Callable[..., Chart]) -> Callable[..., Chart]:
    """Draw with this project's settings, whatever the notebook has set, and leave those alone."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs) -> Chart:
        with mpl.rc_context(style.settings()):
            return function(*args, **kwargs)

    return wrapper


def sheet(title: str, notes: Sequence[str], height: float, alt: str) -> Chart:
    """An empty sheet with its header: the title, then ``notes`` (definition, scope) below it.

    ``height`` is the room for the drawing in inches; the header comes on top of it.
    """
    lines = [line for note in notes if note for line in style.wrap(note, _LINE_EM).split("\n")]
    header = HEADER + LINE_HEIGHT * len(lines) + 0.12
    total = height + header + FOOT
    chart = Chart(figsize=(style.WIDTH, total), dpi=style.DPI, layout="constrained")
    chart.alt = alt
    chart.get_layout_engine().set(rect=(0, FOOT / total, 1, 1 - header / total), w_pad=0.06)
    top = 0.06
    chart.text(0.008, 1 - top / total, title, va="top", fontsize=style.TITLE, color=style.INK)
    for i, line in enumerate(lines):
        y = 1 - (HEADER + LINE_HEIGHT * i) / total
        chart.text(0.008, y, line, va="top", fontsize=style.SMALL, color=style.MUTED)
    return chart


@drawn
def unavailable(page: Page, title: str, table: str) -> Chart:
    """The sheet of a figure whose data the branch did not deliver: which table is missing."""
    from playbook.tables import TABLES

    label = TABLES[table].label(page.lang) if table in TABLES else table
    says = page.t("show.na.sentence", label=label, table=table)
    chart = sheet(title, [page.scope()], 1.0, f"{title}: {says}")
    axes = chart.subplots()
    bare(axes)
    axes.set_facecolor("#f4f6f8")
    axes.text(
        0.5,
        0.5,
        style.wrap(says, 44),
        ha="center",
        va="center",
        color=style.MUTED,
        transform=axes.transAxes,
    )
    return chart


@drawn
def empty(page: Page, title: str, notes: Sequence[str] = ()) -> Chart:
    """The sheet of a figure that has nothing to show, which is an answer too."""
    says = page.t("show.na.none")
    chart = sheet(title, [*notes, page.scope()], 0.8, f"{title}: {says}")
    axes = chart.subplots()
    bare(axes)
    axes.set_facecolor("#f4f6f8")
    axes.text(0.5, 0.5, says, ha="center", va="center", color=style.MUTED, transform=axes.transAxes)
    return chart


def bare(axes: Axes) -> None:
    """No ticks and no frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def bars(
    axes: Axes,
    values: Sequence[float],
    labels: Sequence[str],
    colours: Sequence[str],
    left: bool = False,
) -> None:
    """Horizontal bars, the first at the bottom, each with its label beside it; no value axis."""
    places = range(len(values))
    axes.barh(places, values, color=list(colours), height=0.66)
    most = max([*values, 0]) or 1
    axes.set_xlim((most * 1.5, 0) if left else (0, most * 1.5))
    for place, value, label in zip(places, values, labels, strict=True):
        axes.annotate(
            label,
            (value, place),
            xytext=(-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=style.SMALL,
            color=style.INK,
        )
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Positions as near to ``wanted`` as possible that are at least ``gap`` apart, order kept."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    last = float("-inf")
    for i in order:
        placed[i] = last = max(wanted[i], last + gap)
    return placed
