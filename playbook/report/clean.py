"""What of a notebook's HTML may be on a page: a short list of tags, nothing else.

Everything is written anew from the parsed text, so what is not on the list cannot get through:
an unknown tag is dropped and its text kept, scripts and styles are dropped with their text.
Headings get ASCII ids on the way and are collected for the contents. Style attributes are dropped
(the page's policy would refuse them); the one thing they say in prose tables, right alignment,
becomes a class.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"br", "hr", "img", "col", "wbr"}
_TAGS = _VOID | {
    "a", "abbr", "b", "blockquote", "caption", "code", "colgroup", "dd", "del", "details", "div",
    "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "i", "li", "ol",
    "p", "pre", "section", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody",
    "td", "tfoot", "th", "thead", "tr", "ul",
}  # fmt: skip
_SILENCED = {"script", "style", "template", "iframe", "object", "noscript", "svg", "math", "title",
             "textarea", "select"}  # fmt: skip
_ATTRIBUTES = {"class", "title", "lang", "colspan", "rowspan", "scope", "alt", "start", "role",
               "width", "height", "open", "aria-label", "aria-hidden"}  # fmt: skip


@dataclass(frozen=True)
class Heading:
    """A heading of a page: its level from 1, its id, its text."""

    level: int
    id: str
    text: str


@dataclass
class Cleaned:
    """Clean HTML and its headings, in order."""

    html: str
    headings: list[Heading] = field(default_factory=list)


def clean(fragment: str, prefix: str, down: int = 0) -> Cleaned:
    """``fragment`` with listed tags only.

    Headings get ids ``prefix-1``, ``prefix-2`` … and go ``down`` levels deeper. Links are kept when
    they lead to a place on the same page, pictures when they are inside the page (PNG).
    """
    cleaner = _Cleaner(prefix, down)
    cleaner.feed(fragment)
    cleaner.close()
    return Cleaned("".join(cleaner.out) + "".join(f"</{t}>" for t in reversed(cleaner.open)),
                   cleaner.headings)  # fmt: skip


class _Cleaner(HTMLParser):
    def __init__(self, prefix: str, down: int) -> None:
        super().__init__(convert_charrefs=True)
        self.prefix = prefix
        self.down = down
        self.out: list[str] = []
        self.open: list[str] = []
        self.headings: list[Heading] = []
        self.silenced = 0
        self.heading: tuple[int, str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENCED:
            self.silenced += 1
            return
        if self.silenced or tag not in _TAGS:
            return
        given = {name: value or "" for name, value in attrs}
        kept = {name: value for name, value in given.items() if name in _ATTRIBUTES}
        if tag in ("td", "th") and "text-align:right" in given.get("style", "").replace(" ", ""):
            kept["class"] = f"{kept.get('class', '')} pb-num".strip()
        if tag == "img":
            if not given.get("src", "").startswith("data:image/png;base64,"):
                return
            kept["src"] = given["src"]
            kept.setdefault("alt", "")
        if tag == "a":
            if not given.get("href", "").startswith("#"):
                tag = "span"
            else:
                kept["href"] = given["href"]
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            level = min(int(tag[1]) + self.down, 6)
            mark = f"{self.prefix}-{len(self.headings) + 1}"
            tag, kept["id"] = f"h{level}", mark
            self.heading = (level, mark, [])
        written = "".join(
            f' {name}="{html.escape(value, quote=True)}"' for name, value in kept.items()
        )
        self.out.append(f"<{tag}{written}>")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENCED:
            self.silenced = max(0, self.silenced - 1)
            return
        if self.silenced or tag not in _TAGS or tag in _VOID:
            return
        heading = len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()
        wanted = f"h{min(int(tag[1]) + self.down, 6)}" if heading else tag
        if wanted not in self.open:
            wanted = "span" if tag == "a" and "span" in self.open else wanted
        if wanted not in self.open:
            return
        if heading and self.heading:
            level, mark, words = self.heading
            self.headings.append(Heading(level, mark, " ".join("".join(words).split())))
            self.heading = None
        while self.open:
            closed = self.open.pop()
            self.out.append(f"</{closed}>")
            if closed == wanted:
                return

    def handle_data(self, data: str) -> None:
        if self.silenced:
            return
        if self.heading:
            self.heading[2].append(data)
        self.out.append(html.escape(data, quote=False))
