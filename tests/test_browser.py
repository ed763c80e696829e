"""A report as a person sees it, in a real browser: whole, calm, silent on the network.

Makes the report of one branch of the shipped sample and opens it in headless Chromium.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (found := shutil.which(name))
    ),
    None,
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine: the browser tests were not run"
    ),
]
#: Draws each character and a character that no font has; the same picture means a missing glyph.
MISSING_GLYPHS = """
async (text) => {
  const family = '"Playbook Sans"';
  await document.fonts.load(`16px ${family}`, text);
  await document.fonts.ready;
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 40;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const picture = (char) => {
    pen.clearRect(0, 0, 40, 40);
    pen.font = `24px ${family}`;
    pen.fillText(char, 6, 30);
    return pen.getImageData(0, 0, 40, 40).data.join();
  };
  const none = picture('\\u{10FFFD}');
  return {
    loaded: document.fonts.check(`16px ${family}`, text),
    missing: [...text].filter((char) => picture(char) === none),
  };
}
"""


@pytest.fixture(scope="module", params=["zh", "en"])
def report(request, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("reports")
    subprocess.run(
        [sys.executable, "-m", "playbook", "report", "--branch", "B01", "--lang", request.param,
         "--out", str(out)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return next(out.glob("B01_*/B01_*.html"))


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture
def sheet(browser, report):
    """The report opened; at the end: what it said on the console and asked of the network."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.wait_for_timeout(200)
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", report.as_uri()))] == []


def test_every_character_is_drawn_by_the_embedded_font(sheet):
    text = sheet.evaluate("document.body.innerText + document.title")
    characters = "".join(sorted({char for char in text if not char.isspace()}))
    assert len(characters) > 40
    found = sheet.evaluate(MISSING_GLYPHS, characters)
    assert found == {"loaded": True, "missing": []}
    family = sheet.evaluate("getComputedStyle(document.querySelector('main')).fontFamily")
    assert family.startswith('"Playbook Sans"')


def test_contents_lead_to_their_places(sheet):
    links = sheet.locator("nav.contents a")
    targets = [links.nth(i).get_attribute("href") for i in range(links.count())]
    assert len(targets) > 5 and len(set(targets)) == len(targets)
    for target in targets:
        assert re.fullmatch(r"#[A-Za-z0-9-]+", target)
        assert sheet.locator(target).count() == 1
    links.last.click()
    sheet.wait_for_timeout(900)
    box = sheet.locator(targets[-1]).bounding_box()
    assert 0 <= box["y"] < 900


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out_sideways(sheet, width):
    sheet.set_viewport_size({"width": width, "height": 900})
    assert sheet.evaluate("document.documentElement.scrollWidth") <= width


def test_pictures_are_there_and_say_what_they_show(sheet):
    pictures = sheet.evaluate(
        "[...document.images].map(i => [i.complete && i.naturalWidth, i.alt.length])"
    )
    assert len(pictures) > 5
    assert all(width > 300 and words > 15 for width, words in pictures)


def test_the_page_says_its_language_and_shows_no_code(sheet, report):
    lang = sheet.evaluate("document.documentElement.lang")
    assert lang == ("zh-CN" if report.stem.endswith("_zh") else "en")
    shown = sheet.evaluate("document.body.innerText")
    assert "import playbook" not in shown and "pb.segment" not in shown
    if lang == "en":
        chinese = re.findall(r"[一-鿿]+", shown)
        assert len("".join(chinese)) < 0.05 * len(shown), chinese


def test_it_prints_on_paper(sheet, tmp_path):
    from io import BytesIO

    printed = sheet.pdf(prefer_css_page_size=True, print_background=True)
    pages = len(re.findall(rb"/Type\s*/Page\b", BytesIO(printed).getvalue()))
    assert 4 < pages < 60


def test_a_script_would_not_run(browser, report):
    context = browser.new_context()
    page = context.new_page()
    page.goto(report.as_uri())
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.head.append(s); }"
    )
    assert page.evaluate("typeof window.ran") == "undefined"
    context.close()


def test_the_index_opens_the_report(browser, report):
    context = browser.new_context()
    page = context.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((report.parents[1] / "index.html").as_uri())
    page.locator("table.index a").first.click()
    page.wait_for_load_state()
    assert page.url == report.as_uri()
    assert page.locator("h1").count() == 1
    context.close()
    assert said == []
