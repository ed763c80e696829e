"""Real reports of two tiny branches: what data may not do, what one branch may not see.

The data are a bank's worst day: names and values that are markup. Everything runs as it does for
a person: command line, branch process, kernel, page.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import zipfile
from html import unescape
from pathlib import Path

import nbformat
import pytest

from playbook.report import child, facts, files, ledger, settings

pytestmark = pytest.mark.slow

ATTACKS = ("<script>alert(1)</script>", "{{7*7}}")
MONTHS = [f"2026-{month:02d}" for month in range(1, 10)]
N = 12


def write(folder: Path, table: str, rows: list[dict]) -> None:
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def clients_of(branch: str) -> list[str]:
    return [f"{branch}-9{i:03d}" for i in range(N)]


def small_bank(folder: Path) -> Path:
    """Two branches of twelve clients; attacks in every free text that a page could show."""
    folder.mkdir()
    branches = ("B01", "B02")
    names = dict(zip(branches, ATTACKS, strict=True))
    write(folder, "branches", [
        {"branch_id": b, "branch_name": names[b], "city_tier": "2", "region": names[b],
         "opened_on": "2010-01-01", "preset": "", "client_target_n": "", "aum_target": ""}
        for b in branches
    ])  # fmt: skip
    write(folder, "advisers", [
        {"branch_id": b, "adviser_id": f"{b}-A1", "level": "adviser", "qualified": 1,
         "qualification_expiry": "", "hired_on": "", "client_facing_share": "", "skill_tag": ""}
        for b in branches
    ])  # fmt: skip
    blank = dict.fromkeys(
        ("household_id", "household_role", "close_date", "birth_month_day", "payroll_months",
         "education", "city_tier", "source_channel", "source_subtype", "referrer_id",
         "pref_channel", "best_time", "taboo_note_code", "id_expiry", "cdd_due",
         "limited_capacity", "is_staff", "qualified_investor_until", "credit_grade",
         "status_manual", "occupation", "is_payroll"), ""
    )  # fmt: skip
    write(folder, "clients", [
        {"branch_id": b, "client_id": c, "adviser_id": f"{b}-A1", "open_date": "2015-01-01",
         "gender": "F", "age": 40 + i, "is_business_owner": i % 2, **blank}
        for b in branches for i, c in enumerate(clients_of(b))
    ])  # fmt: skip
    write(folder, "balances_monthly", [
        {"branch_id": b, "client_id": c, "month": m, "product_class": "demand",
         "month_avg": 100000 * (i + 1), "month_end": 100000 * (i + 1), "market_change": 0}
        for b in branches for i, c in enumerate(clients_of(b)) for m in MONTHS
    ])  # fmt: skip
    write(folder, "needs", [
        {"branch_id": b, "client_id": c, "field": "goal", "value": names[b],
         "updated_on": "2026-05-01", "source": "client"}
        for b in branches for c in clients_of(b)
    ])  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("bank")
    data = small_bank(root / "data")
    own = root / "own.yaml"
    own.write_text(
        "extends: cn6\n"
        f"name: {{zh: '{ATTACKS[0]}', en: '{ATTACKS[0]}'}}\n"
        "tiering:\n  near_ratio: 0.85\n",
        encoding="utf-8",
    )
    out = root / "out"
    done = subprocess.run(
        [sys.executable, "-m", "playbook", "report", "--data", str(data), "--out", str(out),
         "--policy", str(own), "--jobs", "2"],
        capture_output=True, text=True, encoding="utf-8", timeout=400, cwd=root,
    )  # fmt: skip
    assert done.returncode in (settings.OK, settings.SOME), done.stderr
    return out, done


def test_a_clean_export_is_said_to_be_clean_and_a_faulty_one_listed(tmp_path):
    data = small_bank(tmp_path / "data")

    def checked(*more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "playbook", "check", str(data), *more], capture_output=True,
            text=True, encoding="utf-8", timeout=120, cwd=tmp_path,
        )  # fmt: skip

    done = checked()
    assert done.returncode == settings.OK, done.stdout + done.stderr
    assert not (tmp_path / "faults.xlsx").exists()
    book = data / "balances_monthly.csv"
    text = book.read_text(encoding="utf-8").replace(",100000,100000,", ",10万,100000,", 1)
    book.write_text(text, encoding="utf-8")
    done = checked("--out", "list.xlsx", "--lang", "en")
    assert done.returncode == settings.SOME
    assert not re.search(r"B0[12]-9\d{3}", done.stdout + done.stderr)
    assert (tmp_path / "list.xlsx").stat().st_size > 3000
    book.unlink()
    assert checked().returncode == settings.NOTHING


def page_of(out: Path, branch: str) -> str:
    return next(out.glob(f"{branch}_*/{branch}_*.html")).read_text(encoding="utf-8")


def text_of(file: Path) -> str:
    """All text of a published file; of a workbook, of all its parts."""
    if file.suffix != ".xlsx":
        # Long lines of a calendar are folded; an id must be found across the fold.
        return file.read_text(encoding="utf-8").replace("\n ", "")
    with zipfile.ZipFile(file) as parts:
        return "".join(parts.read(name).decode("utf-8") for name in parts.namelist())


def body_of(page: str) -> str:
    return page[page.index("</style>") :]


@pytest.mark.parametrize(("branch", "attack"), [("B01", ATTACKS[0]), ("B02", ATTACKS[1])])
def test_markup_in_the_data_is_shown_as_text(made, branch, attack):
    page = page_of(made[0], branch)
    body = body_of(page)
    assert "<script" not in page
    assert attack in unescape(body)
    assert f"<title>{attack}" in unescape(page)
    index = (made[0] / "index.html").read_text(encoding="utf-8")
    assert "<script" not in index and attack in unescape(index)


def test_a_branch_sees_nothing_of_another(made):
    for own, other in (("B01", "B02"), ("B02", "B01")):
        for file in next(made[0].glob(f"{own}_*")).iterdir():
            text = text_of(file)
            assert not [c for c in clients_of(other) if c in text], file.name
            assert f"{other}-" not in body_of(text) if file.suffix == ".html" else True


def test_what_the_bank_changed_is_said(made):
    for branch in ("B01", "B02"):
        shown = re.sub(r"<[^>]+>", " ", body_of(page_of(made[0], branch)))
        assert "tiering.near_ratio" in shown and "0.85" in shown


def test_everything_published_is_whole_and_named_safely(made):
    folders = [folder for folder in made[0].iterdir() if folder.is_dir()]
    assert {folder.name for folder in folders} == {"B01_2026-09-30_zh", "B02_2026-09-30_zh"}
    for folder in folders:
        assert files.is_whole(folder)
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", file.name) for file in folder.iterdir())
        manifest = files.read_manifest(folder)
        assert manifest["lang"] == "zh" and manifest["facts"]["clients"] == N


def test_the_pack_holds_the_workbook(made):
    for branch in ("B01", "B02"):
        folder = next(made[0].glob(f"{branch}_*"))
        book = text_of(folder / f"{folder.name}.xlsx")
        assert f"{branch}-" in book and "<f>" not in book, "no cell may be a formula"
        assert f"{folder.name}.xlsx" in files.read_manifest(folder)["files"]


def test_each_adviser_with_a_plan_gets_a_calendar(tmp_path):
    opened = facts.open_branch("sample", "B01", "2026-09-30", "")
    child.handouts(tmp_path, "pack", opened, "zh")
    names = {file.name for file in tmp_path.iterdir()}
    expected = {f"calendar_B01-A{n}.ics" for n in range(3)}
    assert names == {"pack.xlsx", *expected}
    for name in expected:
        assert text_of(tmp_path / name).count("BEGIN:VEVENT") > 0


def test_no_trace_of_a_client_in_the_records_of_the_run(made):
    out, done = made
    written = (out / settings.LEDGER).read_text(encoding="utf-8") + done.stdout + done.stderr
    written += "".join(json.dumps(files.read_manifest(f)) for f in out.iterdir() if f.is_dir())
    assert "-9000" not in written
    assert [entry["kind"] for entry in ledger.read(out)].count("notebook") >= 4


def test_executed_notebooks_are_valid_and_know_no_path_of_the_run(made):
    for path in made[0].glob("B0*/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert settings.ATTEMPTS not in path.read_text(encoding="utf-8")


def test_the_same_data_give_the_same_page(made, tmp_path):
    out, done = made
    again = subprocess.run([*done.args, "--branch", "B01", "--out", str(tmp_path / "again")],
                           capture_output=True, timeout=400)  # fmt: skip
    assert again.returncode in (settings.OK, settings.SOME)
    assert page_of(tmp_path / "again", "B01") == page_of(out, "B01")
