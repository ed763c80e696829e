"""Pages as one file: templates, font and policy of what a page may load.

A page of ours loads nothing from anywhere: style, font and pictures are inside it, no script is
allowed to run, and everything that comes from data is escaped by the template engine.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from playbook.report.inputs import own_version
from playbook.text import count, money, percent, t

_PICTURES = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
#: Always embedded, so that a page never lacks what its style sheet writes by itself.
_ALWAYS = "·—…%−-0123456789."


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("playbook.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(font: bytes) -> str:
    """The style sheet of tables and cards, then the page's own, with the font inside it."""
    inside = resources.files("playbook.show").joinpath("style.css").read_text(encoding="utf-8")
    sheet = resources.files("playbook.report").joinpath("templates/style.css")
    data = base64.b64encode(font).decode("ascii")
    return f"{inside}\n{sheet.read_text(encoding='utf-8').replace('@@FONT@@', data)}"


def build(template: str, lang: str, **values: object) -> str:
    """The page of ``template`` in ``lang``, whole and self-contained.

    Values of type ``Markup`` are taken as HTML, everything else is escaped. The font holds exactly
    the characters of the page.
    """
    from playbook.show import fonts

    def say(key: str, **facts: object) -> str:
        return t(key, lang, **facts)

    def filled(sheet: str, policy: str) -> str:
        return _environment().get_template(template).render(
            lang=lang, say=say, n=count, pct=percent, yuan=lambda value: money(value, lang),
            version=own_version(), style=Markup(sheet), content_policy=policy, **values,
        )  # fmt: skip

    # Twice: which characters the font needs is known only when the page is there.
    sheet = style(fonts.subset(plain_text(filled("", "")) + _ALWAYS))
    digest = base64.b64encode(hashlib.sha256(sheet.encode("utf-8")).digest()).decode("ascii")
    return filled(sheet, content_policy(digest))


def content_policy(style_digest: str) -> str:
    """What a page may load: its own style sheet, pictures and fonts inside it, nothing else."""
    return (
        f"default-src 'none'; img-src data:; font-src data:; style-src 'sha256-{style_digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def plain_text(page: str) -> str:
    """All characters a page may show, attributes included (title and alternative texts)."""
    bare = html.unescape(_PICTURES.sub("", page))
    return "".join(sorted(set(bare) - set(map(chr, range(32)))))


