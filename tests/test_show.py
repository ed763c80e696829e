"""Figures, tables, cards and widgets: right numbers, both languages, nothing unescaped."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
from html import unescape
from html.parser import HTMLParser

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from playbook import show
from playbook.book import Book, open_book
from playbook.segment import segment
from playbook.show import effects, fonts, style, widgets
from playbook.show.charts.base import spread
from playbook.show.pages import Page
from playbook.text import entries, keys_under

MONTHS = ["2026-06", "2026-07", "2026-08", "2026-09"]
#: client → month averages of four months in 万元; month end is the same.
AVERAGES = {
    "B01-0001": (30, 30, 30, 30),
    "B01-0002": (185, 185, 185, 185),
    "B01-0003": (60, 60, 45, 44),
    "B01-0004": (700, 700, 700, 700),
    "B01-0005": (3, 3, 3, 3),
}


def book(name: str = "滨江支行", averages=AVERAGES, **tables) -> Book:
    clients = [
        {"client_id": client, "adviser_id": None if client.endswith("4") else "A01",
         "open_date": "2015-01-05", "occupation": "retired", "age": 66, "gender": "F",
         "household_id": "H1" if client[-1] in "12" else None, "household_role": "head"}
        for client in averages
    ]  # fmt: skip
    balances = [
        {"client_id": client, "month": month, "product_class": "demand",
         "month_avg": value * 10_000, "month_end": value * 10_000}
        for client, values in averages.items()
        for month, value in zip(MONTHS, values, strict=True)
    ]  # fmt: skip
    frames = {
        "branches": [{"branch_id": "B01", "branch_name": name}],
        "advisers": [{"adviser_id": "A01", "level": "adviser", "qualified": True}],
        "clients": clients,
        "balances_monthly": balances,
    }
    return Book.from_frames(frames | tables, branch="B01", as_of="2026-09-30", synthetic=True)


@pytest.fixture(scope="module")
def small() -> Book:
    return book()


@pytest.fixture(scope="module")
def segments(small):
    return segment(small)


@pytest.fixture(params=["zh", "en"])
def page(request, small, segments) -> Page:
    return show.page(small, segments, request.param)


def figures(segments, page) -> dict[str, Figure]:
    clients, history = segments.clients, segments.history
    scope = clients[clients["in_scope"]]
    return {
        "tiers": show.tiers(clients, page),
        "trend": show.trend(history, page),
        "tier_history": show.tier_history(history, page),
        "ladder": show.ladder(scope, page),
        "watch": show.watch(history, scope, page),
        "personas": show.personas(scope, page),
        "statuses": show.statuses(scope, page),
        "familiarity": show.familiarity(scope, page),
        "files": show.completeness(show.file_groups(segments), page),
        "contribution": show.contribution(segments.concentration, segments.figures, page),
        "households": show.households(segments.households, page),
    }


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]


# ---- fonts ----


def test_font_draws_what_names_and_figures_need():
    assert fonts.missing("镕喆堃，。：（）“”万元%−-0123456789×→≥≤…　") == ""


def test_font_says_what_it_cannot_draw():
    assert fonts.missing("好\U0001f600") == "\U0001f600"


def test_all_words_of_the_project_can_be_drawn():
    words = "".join(text for pair in entries().values() for text in pair.values())
    assert fonts.missing(words) == ""


def test_subset_holds_the_text_and_is_repeatable():
    from fontTools.ttLib import TTFont

    small = fonts.subset("分层")
    assert small == fonts.subset("层分") and len(small) < 60_000
    kept = TTFont(io.BytesIO(small)).getBestCmap()
    assert {ord("分"), ord("层"), ord("A"), ord("7")} <= set(kept) and ord("群") not in kept


# ---- figures ----


def test_figures_say_their_branch_day_and_alt_text(segments, page):
    for name, figure in figures(segments, page).items():
        words = texts(figure)
        assert isinstance(figure, Figure) and figure.alt, name
        assert any("B01" in word and "2026-09-30" in word for word in words), name
        assert fonts.missing("".join(words)) == "", name


def test_figure_is_the_same_bytes_twice(segments, page):
    first, again = (show.tiers(segments.clients, page).png() for _ in range(2))
    assert first == again and b"tEXtSoftware" not in first


def test_notebook_gets_a_picture_with_alt_text_and_size(segments, page):
    figure = show.tiers(segments.clients, page)
    data, metadata = figure._repr_mimebundle_()
    width, height = struct.unpack(">II", figure.png()[16:24])
    told = metadata["image/png"]
    assert told["alt"] == data["text/plain"] == figure.alt
    assert told["width"] / told["height"] == pytest.approx(width / height, abs=0.01)


def test_tier_figure_shows_the_counts_of_the_book(segments, page):
    words = " ".join(texts(show.tiers(segments.clients, page)))
    assert segments.clients["tier"].value_counts()["T3"] == 2
    assert "40.0%" in words and "700.00" in words


def test_text_of_figures_does_not_overlap(segments, page):
    """Labels of one figure keep clear of each other and of the edge of the sheet."""
    for name, figure in figures(segments, page).items():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        boxes = [
            (text.get_text(), text.get_window_extent(renderer))
            for text in figure.findobj(lambda a: hasattr(a, "get_text"))
            if text.get_text().strip() and text.get_visible()
        ]
        sheet = figure.bbox
        for i, (word, box) in enumerate(boxes):
            assert box.x0 >= sheet.x0 - 1 and box.x1 <= sheet.x1 + 1, (name, word)
            for other, second in boxes[i + 1 :]:
                width = min(box.x1, second.x1) - max(box.x0, second.x0)
                height = min(box.y1, second.y1) - max(box.y0, second.y0)
                assert width < 2 or height < 2, (name, word, other)


def test_missing_table_is_drawn_and_named(small, segments, page):
    assert "familiarity.contact" in segments.na
    scope = segments.clients[segments.clients["in_scope"]]
    says = " ".join(texts(show.familiarity(scope, page)))
    assert ("接触记录" if page.lang == "zh" else "Contacts") in says


def test_empty_book_draws_sheets_not_errors(page, segments):
    none = segments.clients.iloc[:0]
    assert show.ladder(none, page).alt
    assert show.watch(segments.history, none, page).alt
    assert show.personas(none, page).alt
    assert show.statuses(none, page).alt
    assert show.trend(segments.history.iloc[:0], page).alt
    assert show.households(segments.households.iloc[:0], page).alt


def test_settings_of_the_notebook_are_left_alone(segments, page):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    show.tiers(segments.clients, page).png()
    assert dict(mpl.rcParams) == before


def test_labels_are_spread_apart_in_order():
    placed = spread([5.0, 1.0, 1.1], 1.0)
    assert placed == [5.0, 1.0, 2.0]


@pytest.mark.parametrize(
    "text, width, lines",
    [("一二三四五六", 3, ["一二三", "四五六"]), ("one two three", 4, ["one two", "three"]),
     ("一二三，四", 3, ["一二三，", "四"])],
)  # fmt: skip
def test_long_lines_are_wrapped(text, width, lines):
    assert style.wrap(text, width).split("\n") == lines


def test_figures_name_the_month_when_the_day_is_within_a_month(segments):
    from dataclasses import replace

    early = replace(show.page(book(), lang="en"), as_of=dt.date(2026, 10, 15))
    assert "last full month 2026-09" in early.scope(3)
    assert "last full month" not in show.page(book(), lang="en").scope(3)


# ---- tables ----


class Cells(HTMLParser):
    """All cell texts of an HTML table, and any tag that should not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.cells, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def cells(shown) -> Cells:
    parser = Cells()
    parser.feed(shown._repr_html_())
    return parser


def test_totals_are_over_all_rows_and_say_so(page):
    frame = pd.DataFrame({"tier": ["T2", "T3", "T4"], "n": [1, 2, 3], "aum": [1e4, 2e4, 3.005e4]})
    shown = show.table(frame, page, limit=2)
    assert len(shown) == 2 and shown.foot[0][1:] == ("6", "6.01")
    assert "3" in shown.notes[0]


def test_difference_to_the_book_is_shown(page):
    frame = pd.DataFrame({"tier": ["T2", "T3"], "n": [1, 2], "aum": [1e4, 2e4]})
    agrees = show.table(frame, page, control={"n": 3, "aum": 3e4})
    differs = show.table(frame, page, control={"n": 4, "aum": 3e4})
    assert len(agrees.foot) == 1
    assert differs.foot[1][1] == "1"


def test_totals_are_exact_to_the_cent(page):
    frame = pd.DataFrame({"tier": ["T2"] * 10, "aum": [1000.10] * 10})
    shown = show.table(frame, page, control={"aum": 10001.00})
    assert shown.foot[0][1] == "1.00" and len(shown.foot) == 1


def test_everything_from_data_is_escaped(page):
    nasty = "<script>alert(1)</script>{{7*7}}|x"
    shown = show.table(pd.DataFrame({"note": [nasty]}), page, total=False)
    parsed = cells(shown)
    assert "script" not in parsed.tags and nasty in parsed.cells
    assert "<script" not in shown._repr_markdown_()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_branch_name_is_escaped_in_the_head(lang):
    nasty = book(name="<img src=x onerror=alert(1)>")
    html = show.head(nasty, show.page(nasty, lang=lang))._repr_html_()
    assert "<img" not in html and "&lt;img" in html


def test_headings_and_values_are_in_the_readers_language(page):
    frame = pd.DataFrame({"tier": ["T3"], "status": ["lost"], "open_date": [dt.date(2020, 1, 2)]})
    shown = show.table(frame.assign(open_date=pd.to_datetime(frame["open_date"])), page)
    expected = {"zh": ("金", "已流失", "2020-01-02"), "en": ("Gold", "lost", "2020-01-02")}
    assert shown.rows[0] == expected[page.lang]
    assert "tier" not in shown.heads and "open_date" not in shown.heads


def test_missing_values_are_dashes(page):
    frame = pd.DataFrame({"tier": [None], "aum": [float("nan")], "n": pd.array([pd.NA], "Int64")})
    assert show.table(frame, page).rows[0] == ("—", "—", "—")


def test_long_pseudonyms_are_shortened_unless_asked(small, segments):
    masked = show.page(small, segments, "zh")
    whole = show.page(small, segments, "zh", mask=False)
    assert masked.client("B01-C0012345678") == "B01-…5678"
    assert whole.client("B01-C0012345678") == "B01-C0012345678"
    assert masked.client("B01-0001") == "B01-0001"


def test_no_inline_style_in_tables(page, segments):
    html = show.table(show.tier_summary(segments), page)._repr_html_()
    assert "style=" not in html


# ---- words ----


def test_findings_carry_number_and_n(segments, page):
    found = show.findings(segments, page).sentences
    assert 3 <= len(found) <= 6
    assert all(re.search(r"n = \d", sentence) for sentence in found[1:])
    assert "4" in found[0] and "5" in found[0]


def test_findings_of_an_empty_branch(small, page, segments):
    from dataclasses import replace

    nobody = replace(segments, clients=segments.clients.iloc[:0])
    assert len(show.findings(nobody, page).sentences) == 1


def test_card_gives_a_reason_for_every_label(segments, page):
    for row in segments.clients.to_dict("records"):
        shown = show.card(row, page)
        reasons = [why for _, _, why in shown.lines[:4]]
        assert all(reasons), row["client_id"]
        assert fonts.missing(repr(shown)) == ""


def test_people_list_words_the_reason(segments, page):
    on_watch = segments.clients[segments.clients["watch_months"] > 0]
    shown = show.people(on_watch, page, "tier", ("tier",))
    assert list(on_watch["client_id"]) == ["B01-0003"]
    assert "44.00" in shown.rows[0][-1] or "440,000" in shown.rows[0][-1]


def test_household_cards_answer_six_questions(segments, page):
    first = show.cards(segments.cards, page).cards[0]
    assert len(first.lines) == 7 and all(value for _, value, _ in first.lines)


def test_file_parts_sum_to_one(segments):
    parts = show.file_groups(segments)
    assert parts[["filled", "stale", "empty"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert (parts["n"] == 4).all()


def test_banner_over_synthetic_data(small, page):
    assert show.head(small, page).banner


def test_counts_add_up(small, page):
    foot = show.counts(small, page).foot[0]
    assert foot[1] == f"{int(small.counts['rows_in'].sum()):,}"


def test_every_text_key_of_this_room_is_used():
    from pathlib import Path

    folder = Path(show.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    built = ("show.column.", "show.fault.", "show.figure.", "show.chart.households.size",
             "show.chart.files.", "show.card.")  # fmt: skip
    unused = [
        key for key in keys_under("show.")
        if not key.startswith(built) and f'"{key}"' not in source
    ]  # fmt: skip
    assert unused == []


# ---- widgets ----


def test_nothing_moves_until_something_is_changed(small, segments, page):
    box = widgets.WhatIf(small, segments, page)
    assert page.t("show.widget.effect_none") in unescape(box.message.value)


def test_moving_a_floor_shows_who_moves(small, segments, page):
    box = widgets.WhatIf(small, segments, page)
    box.floors["T4"].value = 150
    moved = effects.moves(
        segments.clients, segment(small, segments.policy.with_(**{"tiers.T4.floor": 1.5e6})).clients
    )
    assert moved["moved"] == moved["up"] == 1 and moved["aum"] == 1_850_000
    assert ("1户换层" if page.lang == "zh" else "1 clients change tier") in box.message.value
    assert "<img" in box.result.value


def test_what_if_counts_near_clients_as_the_findings_do():
    branch = open_book("sample", branch="B01", as_of="2026-09-30")
    now = segment(branch)
    near = now.clients["near_tier"].notna()
    counted = effects.moves(now.clients, now.clients)
    assert counted["near0"] == counted["near1"] == int((near & now.clients["in_scope"]).sum())
    assert counted["near0"] < int(near.sum()), "the sample has near clients below the scope too"


def test_floors_that_do_not_rise_are_refused_in_words(small, segments, page):
    box = widgets.WhatIf(small, segments, page)
    before = box.result.value
    box.floors["T3"].value = 250
    assert box.result.value == before
    assert page.name("tier", "T4") in box.message.value and "Traceback" not in box.message.value
    box.reset.click()
    assert box.floors["T3"].value == 50
    assert page.t("show.widget.effect_none") in unescape(box.message.value)


def test_near_ratio_changes_who_is_near(small, segments, page):
    box = widgets.WhatIf(small, segments, page)
    box.near.value = 0.95
    tighter = segment(small, segments.policy.with_(**{"tiering.near_ratio": 0.95})).clients
    facts = effects.moves(segments.clients, tighter)
    assert facts["near0"] == 1 and facts["near1"] == 0 and facts["moved"] == 0
    assert page.t("show.widget.effect", **facts) in box.message.value


def test_unforeseen_error_is_a_sentence(small, segments, page, monkeypatch, caplog):
    box = widgets.WhatIf(small, segments, page)
    monkeypatch.setattr(effects, "moves", lambda *given: 1 / 0)
    box.floors["T3"].value = 55
    assert page.t("show.widget.failed") in box.message.value


def test_picker_filters_and_explains(segments, page):
    box = widgets.Picker(segments, page)
    box.tier.value = "T5"
    assert box.client.value == "B01-0004" and page.name("tier", "T5") in box.shown.value
    box.status.value = "lost"
    assert page.t("show.widget.no_client") in box.shown.value


def test_health_lists_the_faults_of_a_table(page):
    faulty = book(contacts=[{"contact_id": "K1", "client_id": "B01-9999", "adviser_id": "A01",
                             "at": "2026-09-01 10:00", "channel": "phone", "purpose": "service",
                             "reached": True, "opened": False, "need_found": False,
                             "proposal": False, "deal": False}])  # fmt: skip
    box = widgets.Health(faulty, page)
    assert page.t("show.widget.no_faults") in box.shown.value
    box.table.value = "contacts"
    assert "REF-01" in box.shown.value


def test_calls_are_bundled_while_a_loop_runs(monkeypatch):
    import asyncio

    monkeypatch.setattr(widgets, "WAIT", 0.01)
    calls = []

    async def hurry():
        quiet = widgets.Quiet(lambda: calls.append(1))
        quiet(), quiet(), quiet()
        await asyncio.sleep(0.1)

    asyncio.run(hurry())
    assert calls == [1]
