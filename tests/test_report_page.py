"""Pages: nothing from data runs, nothing is fetched, every character has its glyph."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.report import html, page
from playbook.report.clean import clean
from playbook.report.facts import About, Change
from playbook.report.notebook import Step
from playbook.show import fonts

ATTACKS = ["<script>alert(1)</script>", "{{7*7}}", '"><img src=x onerror=alert(1)>', "@@FONT@@"]


def about(name: str) -> About:
    numbers = {"in_scope": 3, "clients": 5, "aum_end": 1.0, "aum_scope": 1.0, "rejected": 0,
               "notices": 0}  # fmt: skip
    change = Change("tiering.near_ratio", "0.9", name, name)
    return About("B01", name, "2026-09-30", "2026-09", "cn6", name, "0a1b2c3d", True, numbers,
                 [change], [name])  # fmt: skip


def notebook(markdown: str = "# 标题", html_output: str = "", text: str = ""):
    from nbformat import v4

    outputs = [
        v4.new_output("execute_result", data={"text/html": html_output, "text/plain": "frame"}),
        v4.new_output("stream", name="stdout", text=text),
        v4.new_output("display_data", data={"image/png": "iVBORw0KGgo=", "text/plain": "x"},
                      metadata={"image/png": {"alt": text, "width": 7, "height": 3}}),
    ]  # fmt: skip
    cells = [v4.new_markdown_cell(markdown), v4.new_code_cell("secret_code()", outputs=outputs)]
    return v4.new_notebook(cells=cells)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_comes_from_data_is_shown_as_text(attack, lang):
    made = html.page([(Step("s", 0), notebook(text=attack))], about(attack), lang)
    body = made[made.index("</style>") :]
    assert "<script" not in made
    assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", body)
    assert unescape(body).count(attack) >= 5
    assert "49" not in re.sub(r"base64,[\w+/=]+", "", body)


def test_the_page_shows_results_but_no_code():
    table = '<table class="pb-table"><tr><td>表</td></tr></table>'
    made = html.page([(Step("s", 0), notebook(html_output=table))], about("滨江支行"), "zh")
    assert table in made
    assert "secret_code" not in made
    assert '<img alt="x" height="3" width="7" src="data:image/png;base64,iVBORw0KGgo=">' in made


def test_the_page_loads_nothing_and_allows_no_script():
    made = html.page([(Step("s", 0), notebook())], about("滨江支行"), "zh")
    policy = unescape(
        re.search(r'Content-Security-Policy" content="([^"]+)"', made)[1]
    )
    assert "default-src 'none'" in policy and "script-src" not in policy
    sheet = re.search(r"<style>(.*?)</style>", made, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(sheet.encode("utf-8")).digest()).decode("ascii")
    assert f"style-src 'sha256-{digest}'" in policy
    assert not re.search(r'(?:src|href)="(?!data:|#)', made)
    assert " style=" not in made


def test_the_font_holds_every_character_of_the_page():
    from io import BytesIO

    from fontTools.ttLib import TTFont

    made = html.page([(Step("s", 0), notebook("# 镕喆堃的万元%"))], about("滨江支行"), "zh")
    data = base64.b64decode(re.search(r"data:font/woff;base64,([\w+/=]+)", made)[1])
    with TTFont(BytesIO(data)) as font:
        held = set(font.getBestCmap())
    shown = re.sub(r"<[^>]*>", "", made[made.index("</style>") :])
    lacking = {char for char in shown if ord(char) not in held and not char.isspace()}
    assert lacking == set(fonts.missing("".join(lacking))) == set()


def test_the_same_input_gives_the_same_bytes():
    first, second = (html.page([(Step("s", 0), notebook())], about("B"), "en") for _ in range(2))
    assert first == second


def test_headings_get_ascii_ids_and_make_the_contents():
    prose = "# 三分管理\n\n## 分层\n\n#### 细节"
    made = html.page([(Step("s", 0), notebook(prose))], about("B"), "zh")
    assert '<h2 id="s1-1">三分管理</h2>' in made
    assert '<a href="#s1-2">分层</a>' in made
    assert '<a href="#s1-3">' not in made
    for target in re.findall(r'href="#([^"]+)"', made):
        assert f'id="{target}"' in made


@pytest.mark.parametrize(
    ("given_html", "kept"),
    [
        ("<b onclick='x()'>a</b>", "<b>a</b>"),
        ("<style>p{}</style><p>a", "<p>a</p>"),
        ("<script>1</script>a &lt;b&gt;", "a &lt;b&gt;"),
        ("<a href='javascript:1'>a</a> b", "<span>a</span> b"),
        ("<a href='#s1'>a</a>", '<a href="#s1">a</a>'),
        ("<img src='http://x/y.png'>a", "a"),
        ("<td style='text-align: right'>1</td>", '<td class="pb-num">1</td>'),
        ("</div></p>a", "a"),
        ("<form><input name=x>a</form>", "a"),
    ],
)
def test_only_listed_tags_pass(given_html, kept):
    assert clean(given_html, "h").html == kept


@given(st.text(alphabet="<>/\"'= abdhiprstvx1#:;&{}!-", max_size=60))
def test_cleaning_is_final_and_balanced(text):
    once = clean(text, "h").html
    assert clean(once, "h").html == once
    names = re.findall(r"<(/?)([a-z0-9]+)", once)
    stack = []
    for closing, name in names:
        if closing:
            assert stack.pop() == name
        elif name not in {"br", "hr", "img", "col", "wbr"}:
            stack.append(name)
    assert not stack


def test_a_page_without_branches_of_characters_still_builds():
    made = page.build("index.html.j2", "en", rows=[], whole=0, failed=0)
    assert "<title>Branch reports</title>" in made
