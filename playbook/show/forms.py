"""The three attachments and the maintenance record, to practise with (规则 K41).

A form asks for codes, choices, numbers and dates only: there is no field in which a name could
stand, and an id that looks like a telephone or identity number is refused. Rows go to the
learner's own workspace, never to a bank's system. The risk questionnaire is a teaching mock and
says so on the screen and on paper.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import ipywidgets as w

from playbook.policy import Policy
from playbook.show import form_store
from playbook.text import has, t

_log = logging.getLogger(__name__)
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_PHONE = re.compile(r"(86)?1\d{10}")
_IDENTITY = re.compile(r"\d{15}|\d{17}[\dXx]")
_ACCOUNT = re.compile(r"\d{12,}")
_MOST = 1_000_000

Type = Literal["id", "choice", "many", "number", "date", "yes"]


@dataclass(frozen=True)
class Field:
    """One question. ``options`` are codes, worded by ``forms.option.<form>.<field>.<code>`` or
    ``name.<names>.<code>``; ``points`` are those of a scored question, by option."""

    name: str
    type: Type
    options: tuple[str, ...] = ()
    names: str = ""
    required: bool = True
    points: tuple[int, ...] = ()


_GOALS = ("retire", "medical", "education", "protect", "legacy", "growth", "liquidity")
_CHANNELS = ("phone", "wecom", "sms", "visit", "branch", "email")
_SCALE = ("a", "b", "c", "d", "e")


def _client() -> Field:
    return Field("client_id", "id")


def _scored(name: str) -> Field:
    return Field(name, "choice", _SCALE, points=tuple(range(1, len(_SCALE) + 1)))


#: The forms, in the order of the course.
FORMS: Mapping[str, tuple[Field, ...]] = {
    "survey": (
        _client(),
        Field("goals", "many", _GOALS, "need_tag"),
        Field("horizon_years", "number"),
        Field("reserve_months", "number"),
        Field("pref_channel", "choice", _CHANNELS, "pref_channel"),
        Field("best_time", "choice", ("morning", "noon", "afternoon", "evening", "weekend", "any"),
              "best_time"),
        Field("content_wanted", "yes"),
        Field("answered_on", "date"),
    ),
    "service": (
        _client(),
        Field("services", "many", ("return_visit", "asset_review", "notice", "greeting"),
              "core_service"),
        Field("diagnosis", "yes"),
        Field("pref_channel", "choice", _CHANNELS, "pref_channel"),
        Field("marketing_consent", "choice", ("yes", "no")),
        Field("applied_on", "date"),
    ),
    "risk_mock": (
        _client(),
        *(_scored(f"q{n}") for n in range(1, 7)),
        Field("answered_on", "date"),
        Field("answered_by_client", "yes"),
    ),
    "record": (
        _client(),
        Field("contact_on", "date"),
        Field("channel", "choice", _CHANNELS, "channel"),
        Field("purpose", "choice", ("service", "marketing", "care"), "purpose"),
        Field("outcome", "choice", ("no_answer", "refused", "talked", "appointment", "done",
                                    "complaint", "opt_out"), "outcome"),
        Field("need", "choice", _GOALS, "need_tag", required=False),
        Field("minutes", "number"),
        Field("next_on", "date", required=False),
        Field("note_code", "id", required=False),
    ),
}  # fmt: skip


def faults(kind: str, row: Mapping[str, object], lang: str) -> list[str]:
    """What is wrong with a filled form, one sentence each; empty when it can be saved."""
    found = []
    for field in FORMS[kind]:
        code = _fault(field, row.get(field.name))
        if code:
            found.append(t(f"forms.fault.{code}", lang, field=label(kind, field, lang)))
    unknown = sorted(set(row) - {f.name for f in FORMS[kind]})
    found += [t("forms.fault.unknown", lang, field=name) for name in unknown]
    if kind == "risk_mock" and row.get("answered_by_client") is False:
        found.append(t("forms.fault.not_self", lang))
    return found


def _fault(field: Field, value: object) -> str:
    if value in (None, "", []):
        return "missing" if field.required else ""
    if field.type == "id":
        text = str(value)
        if _PHONE.fullmatch(text) or _IDENTITY.fullmatch(text) or _ACCOUNT.search(text):
            return "personal"
        return "" if _ID.fullmatch(text) else "not_id"
    if field.type == "choice":
        return "" if value in field.options else "not_choice"
    if field.type == "many":
        wrong = not isinstance(value, list) or any(item not in field.options for item in value)
        return "not_choice" if wrong else ""
    if field.type == "number":
        right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
        return "" if right else "not_number"
    if field.type == "date":
        try:
            dt.date.fromisoformat(str(value))
        except ValueError:
            return "not_date"
        return ""
    return "" if isinstance(value, bool) else "not_choice"


def mock_level(row: Mapping[str, object], policy: Policy) -> tuple[str, int]:
    """Level and points of the practice questionnaire, by ``policy.handout.mock_levels``.

    A teaching mock: no assessment in the sense of any rule, and never written into a book. Raises
    ``KeyError`` for a missing answer.
    """
    scored = [field for field in FORMS["risk_mock"] if field.points]
    points = sum(f.points[f.options.index(str(row[f.name]))] for f in scored)
    levels = [code for code, least in policy.handout.mock_levels.items() if points >= least]
    return (levels[-1] if levels else next(iter(policy.handout.mock_levels))), points


def label(kind: str, field: Field, lang: str) -> str:
    """The question of ``field``."""
    own = f"forms.field.{kind}.{field.name}"
    return t(own if has(own) else f"forms.field.{field.name}", lang)


def option(kind: str, field: Field, code: str, lang: str) -> str:
    """The words of one option."""
    named = f"name.{field.names}.{code}"
    return t(named if field.names else f"forms.option.{kind}.{field.name}.{code}", lang)


def answer(kind: str, field: Field, value: object, lang: str) -> str:
    """A value in words; a dash for none."""
    if value in (None, "", []):
        return "—"
    if field.type == "yes":
        return t("forms.yes" if value else "forms.no", lang)
    codes = value if isinstance(value, list) else [value]
    if field.type in ("choice", "many"):
        joined = "、" if lang == "zh" else ", "
        return joined.join(option(kind, field, str(c), lang) for c in codes if c in field.options)
    return str(value)


@dataclass(frozen=True)
class Printed:
    """A form on paper: one page of HTML, all values escaped, nothing fetched."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def print_form(kind: str, row: Mapping[str, object] | None, lang: str) -> Printed:
    """The form ``kind`` filled with ``row``; without a row, blank with all options to tick."""
    lines = []
    for field in FORMS[kind]:
        if row is not None:
            says = escape(answer(kind, field, row.get(field.name), lang))
        elif field.options:
            says = "　".join(f"□ {escape(option(kind, field, c, lang))}" for c in field.options)
        else:
            says = "□" if field.type == "yes" else "＿" * 10
        lines.append(f"<tr><th scope='row'>{escape(label(kind, field, lang))}</th>"
                     f"<td>{says}</td></tr>")  # fmt: skip
    return Printed(
        f'<div class="pb-form">{_head(kind, lang)}'
        f'<table class="pb-table"><tbody>{"".join(lines)}</tbody></table>'
        f'<p class="pb-note">{escape(t("forms.note", lang))}</p></div>'
    )


def _head(kind: str, lang: str) -> str:
    title = f"<h3>{escape(t(f'forms.title.{kind}', lang))}</h3>"
    mock = f'<p class="pb-banner">{escape(t("forms.mock", lang))}</p>'
    return title + (mock if kind == "risk_mock" else "")


class Form(w.VBox):
    """One form to fill, save, load again and correct. Rows go to ``folder``/forms.

    ``policy`` gives the mock's levels. Whatever goes wrong is said in a sentence; "saved" is only
    said once the row is on the disk.
    """

    def __init__(self, kind: str, folder: Path, policy: Policy, lang: str) -> None:
        self.kind, self.lang = kind, lang
        self._folder, self._policy, self._entry = Path(folder), policy, ""
        self.fields = {field.name: self._control(field) for field in FORMS[kind]}
        self.save = w.Button(description=t("forms.save", lang), button_style="primary")
        self.last = w.Button(description=t("forms.last", lang))
        self.blank = w.Button(description=t("forms.blank", lang))
        self.paper = w.Button(description=t("forms.print", lang))
        self.message, self.shown = w.HTML(), w.HTML()
        self.save.on_click(lambda button: self._save())
        self.last.on_click(lambda button: self._load())
        self.blank.on_click(lambda button: self._clear())
        self.paper.on_click(lambda button: self._print())
        buttons = w.HBox([self.save, self.last, self.blank, self.paper])
        head = w.HTML(_head(kind, lang))
        super().__init__([head, *self.fields.values(), buttons, self.message, self.shown])

    def row(self) -> dict[str, object]:
        """What is in the fields now, as plain JSON values."""
        return {field.name: self._value(field) for field in FORMS[self.kind]}

    def _control(self, field: Field) -> w.Widget:
        base = {"description": label(self.kind, field, self.lang),
                "style": {"description_width": "16em"}, "layout": {"width": "44em"}}  # fmt: skip
        words = [(option(self.kind, field, c, self.lang), c) for c in field.options]
        if field.type == "choice":
            return w.Dropdown(options=[("—", ""), *words], **base)
        if field.type == "many":
            return w.SelectMultiple(options=words, rows=len(words), **base)
        if field.type == "number":
            return w.BoundedIntText(min=0, max=_MOST, **base)
        if field.type == "date":
            return w.DatePicker(**base)
        return w.Checkbox(indent=True, **base) if field.type == "yes" else w.Text(**base)

    def _value(self, field: Field) -> object:
        value = self.fields[field.name].value
        if field.type == "many":
            return list(value)
        if field.type == "date":
            return value.isoformat() if value else ""
        return value.strip() if isinstance(value, str) else value

    def _set(self, row: Mapping[str, object]) -> None:
        empty = {"many": (), "date": None, "number": 0, "yes": False}
        for field in FORMS[self.kind]:
            value = row.get(field.name)
            if value in (None, "", []):
                value = empty.get(field.type, "")
            elif field.type == "date":
                value = dt.date.fromisoformat(str(value))
            elif field.type == "many":
                value = tuple(value)
            self.fields[field.name].value = value

    def _save(self) -> None:
        row = self.row()
        wrong = faults(self.kind, row, self.lang)
        if wrong:
            self._say(*wrong)
            return
        try:
            said = "forms.corrected" if self._entry else "forms.saved"
            self._entry = form_store.save(self._folder, self.kind, row, self._entry)
            told = [t(said, self.lang, entry=self._entry)]
            if self.kind == "risk_mock":
                level, points = mock_level(row, self._policy)
                told.append(t("forms.mock_level", self.lang, level=level, points=points))
            self._say(*told)
        except Exception:  # a learner must never see a traceback, nor believe that it is saved
            _log.exception("form not saved")
            self._say(t("forms.not_saved", self.lang))

    def _load(self) -> None:
        try:
            rows = form_store.load(self._folder, self.kind)
            if rows.empty:
                self._say(t("forms.none", self.lang))
                return
            latest = rows.loc[rows["line"].idxmax()]
            self._set(latest["row"])
            self._entry = str(latest["entry"])
            self._say(t("forms.loaded", self.lang, entry=self._entry, at=latest["saved_at"]))
        except Exception:  # as above
            _log.exception("form not loaded")
            self._say(t("forms.not_loaded", self.lang))

    def _clear(self) -> None:
        self._entry = ""
        self._set({})
        self._say()

    def _print(self) -> None:
        self.shown.value = print_form(self.kind, self.row(), self.lang).html

    def _say(self, *sentences: str) -> None:
        lines = "<br>".join(escape(sentence) for sentence in sentences)
        self.message.value = f'<div class="pb-message" role="status">{lines}</div>' if lines else ""
