"""The faulty twin: a small export with one planted fault of every kind, and the list of them.

Most faults are rows put in beside good ones, so that one fault does not drag others along; those
that need a particular row (sums, closed clients) pick one of the generated rows.
"""

from __future__ import annotations

import io
from importlib.resources import files as resources
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import yaml

from playbook.sample import files
from playbook.sample.bank import shelf
from playbook.sample.branch import make
from playbook.sample.clock import clock
from playbook.sample.parameters import many
from playbook.tables import TABLES

BRANCHES, CLIENTS, MONTHS = 2, 40, 6
#: A file that a Chinese Windows would write; it must be read without a fault.
_GBK = "events"
LIST = ("folder", "file", "row", "column", "value", "rule", "severity", "table", "field", "code")
_FORBIDDEN = ("branches", "advisers", "clients", "balances_monthly", "flows")


def write(folder: Path, p: SimpleNamespace, seed: int) -> None:
    """Write ``faulty``, ``faulty_forbidden`` and the list of what was planted in them."""
    spec = yaml.safe_load(
        resources("playbook.sample").joinpath("faults.yaml").read_text(encoding="utf-8")
    )
    text = _text_tables(p, seed)
    listed = _forbidden(folder / "faulty_forbidden", text, spec["forbidden"])
    sheets = {name: _Sheet(name, frame) for name, frame in text.items()}
    for entry in spec["rows"]:
        sheets[entry["table"]].put(entry["row"], entry)
    _picked(sheets)
    _harmless(sheets)
    found = _files(folder / "faulty", sheets)
    rows = pd.DataFrame(found + listed, columns=list(LIST)).sort_values(
        ["folder", "table", "row", "field", "code"], kind="stable"
    )
    text_of = rows.astype({"row": "Int64"}).to_csv(index=False, lineterminator="\r\n")
    (folder / "faulty_list.csv").write_bytes(text_of.encode("utf-8-sig"))


def _text_tables(p: SimpleNamespace, seed: int) -> dict[str, pd.DataFrame]:
    """A small export of two branches, every cell as the text of its CSV file."""
    when = clock(p, MONTHS)
    goods = shelf(p, seed, when)
    made = [make(p, s, when, goods, seed).tables for s in many(p, BRANCHES, CLIENTS, width=2)]
    frames = {"products": [goods.products], "product_nav": [goods.product_nav]}
    frames |= {name: [tables[name] for tables in made] for name in made[0]}
    return {
        name: pd.read_csv(
            io.BytesIO(files.csv_bytes(name, pd.concat(frames[name], ignore_index=True))),
            dtype="str", keep_default_na=False, encoding="utf-8-sig",
        )
        for name in TABLES
    }  # fmt: skip


class _Sheet:
    """One table as text, with the faults that were put into its rows."""

    def __init__(self, name: str, frame: pd.DataFrame) -> None:
        self.name = name
        self.frame = frame
        self.added: list[tuple[int, dict]] = []
        self.marks: list[tuple[object, dict]] = []
        self.raw: list[tuple[str, dict]] = []
        self.blank_after: int | None = None

    def put(self, words: dict, entry: dict | None, like: int | None = None) -> None:
        """Put in a row: a copy of row ``like`` with some words changed."""
        like = (len(self.added) * 3) % max(len(self.frame) // 2, 1) if like is None else like
        row = self.frame.iloc[like].to_dict() | {k: str(v) for k, v in words.items()}
        place = (len(self.added) * 29 + 7) % len(self.frame)
        self.added.append((place, row))
        if entry:
            self.mark(("added", len(self.added) - 1), entry)

    def edit(self, at: int, column: str, value: str) -> None:
        """Change one cell of a generated row."""
        self.frame.loc[at, column] = value

    def mark(self, row: object, entry: dict) -> None:
        """Remember that a fault shows in a row: a generated one by number, or an added one."""
        self.marks.append((row, entry))

    def lines(self) -> tuple[pd.DataFrame, dict[object, int]]:
        """All rows in order, and the number that a spreadsheet gives to each."""
        base = self.frame.assign(
            _place=range(len(self.frame)), _order=0, _tag=range(len(self.frame))
        )
        more = pd.DataFrame([row for _, row in self.added], columns=self.frame.columns).assign(
            _place=[place for place, _ in self.added], _order=range(1, len(self.added) + 1),
            _tag=[-1 - i for i in range(len(self.added))],
        )  # fmt: skip
        # A frame without rows has columns of no type.
        both = pd.concat([base, more.astype(base.dtypes.to_dict())] if len(more) else [base])
        both = both.sort_values(["_place", "_order"], kind="stable", ignore_index=True)
        number = both.index.to_numpy() + 2
        if self.blank_after is not None:
            number = number + (both.index.to_numpy() > self.blank_after)
        tags = {
            ("added", -1 - t) if t < 0 else t: int(n)
            for t, n in zip(both["_tag"], number, strict=True)
        }
        return both[list(self.frame.columns)], tags


def _picked(sheets: dict[str, _Sheet]) -> None:
    """Faults that need a particular row of the generated ones."""
    _repeat(sheets["households"], 4)
    _repeat(sheets["flows"], 11)
    _two_branches(sheets["clients"])
    _broken_identity(sheets["balances_monthly"], sheets["clients"])
    _money_after_close(sheets)
    _wrong_value(sheets["holdings"], sheets["products"])
    _unassessed(sheets)
    branches = sheets["branches"]
    branches.edit(1, "preset", "vip9")
    branches.mark(1, _fault("preset_unknown", "POL-01", "notice", "preset"))
    advisers = sheets["advisers"]
    advisers.frame["座右铭"] = "客户第一"
    advisers.marks.append(
        ("header", _fault("column_unknown", "PRIV-02", "notice", "座右铭", field=""))
    )
    short = ",".join(sheets["complaints"].frame.iloc[0].tolist()[:4])
    sheets["complaints"].raw.append((short, _fault("cells", "FILE-05", "reject", "", field="")))


def _fault(code: str, rule: str, severity: str, at: str, **more: str) -> dict:
    return {"code": code, "rule": rule, "severity": severity, "at": at, **more}


def _repeat(sheet: _Sheet, at: int) -> None:
    """The same row a second time."""
    sheet.put({}, None, like=at)
    place, row = sheet.added.pop()
    sheet.added.append((max(place, at), row))
    key = TABLES[sheet.name].key[0]
    sheet.mark(("added", len(sheet.added) - 1), _fault("key_repeated", "KEY-01", "reject", key))


def _two_branches(clients: _Sheet) -> None:
    """A client of the second branch turns up in the first as well."""
    other = clients.frame.index[clients.frame["branch_id"] == "B02"][3]
    id_ = clients.frame.loc[other, "client_id"]
    fault = _fault("two_branches", "KEY-02", "notice", "client_id")
    clients.put({"client_id": id_, "referrer_id": ""}, fault)
    clients.mark(int(other), fault)


def _broken_identity(balances: _Sheet, clients: _Sheet) -> None:
    """A month end is 1,000 yuan more than flows and market change explain (K28)."""
    frame = balances.frame
    good = frame["client_id"].isin(clients.frame["client_id"][clients.frame["close_date"] == ""])
    last = frame["month"] == frame["month"].max()
    at = frame.index[good & last & (frame["product_class"] == "demand")][9]
    balances.edit(at, "month_end", f"{float(frame.loc[at, 'month_end']) + 1000:.2f}")
    mine = frame["client_id"] == frame.loc[at, "client_id"]
    first = int(frame.index[mine & last][0])
    fault = _fault("sum_identity", "SUM-01", "notice", "month_end")
    balances.mark(first, fault | {"value": frame.loc[first, "month_end"]})


def _money_after_close(sheets: dict[str, _Sheet]) -> None:
    """A closed client still shows a balance; the row carries its own reason, so K28 holds."""
    clients, balances = sheets["clients"], sheets["balances_monthly"]
    # Closed long ago, so that nothing moved since.
    words = {"client_id": "B01-9020", "open_date": "2015-03-02", "close_date": "2025-11-28"}
    clients.put(words, None)
    last = balances.frame["month"].max()
    words = {
        "client_id": "B01-9020",
        "month": last,
        "product_class": "demand",
        "month_avg": "3.33",
        "month_end": "100.00",
        "market_change": "100.00",
    }
    balances.put(words, _fault("balance_after_close", "SUM-03", "notice", "month_end"))


def _wrong_value(holdings: _Sheet, products: _Sheet) -> None:
    """The value of a holding does not add up with its class's month end."""
    frame = holdings.frame
    open_ = frame["market_value"] != ""
    cls = frame["product_id"].map(products.frame.set_index("product_id")["product_class"])
    alone = open_ & ~frame[open_].assign(cls=cls).duplicated(["client_id", "cls"], keep=False)
    at = int(frame.index[alone.reindex(frame.index, fill_value=False)][6])
    holdings.edit(at, "market_value", f"{float(frame.loc[at, 'market_value']) + 250.5:.2f}")
    holdings.mark(at, _fault("sum_holdings", "SUM-02", "notice", "market_value"))


def _unassessed(sheets: dict[str, _Sheet]) -> None:
    """A proposal to a client who was never assessed."""
    clients, tests = sheets["clients"].frame, sheets["risk_assessments"].frame
    never = clients[
        (clients["branch_id"] == "B01") & ~clients["client_id"].isin(tests["client_id"])
    ]
    words = {
        "contact_id": "B01-K900020",
        "client_id": never["client_id"].iloc[0],
        "purpose": "marketing",
        "at": "2026-08-19 10:20:00",
        "reached": "1",
        "opened": "1",
        "need_found": "1",
        "proposal": "1",
        "deal": "0",
    }
    sheets["contacts"].put(words, _fault("proposal_unassessed", "SUIT-02", "notice", "proposal"))


def _harmless(sheets: dict[str, _Sheet]) -> None:
    """What Excel exports do and what is no fault at all."""
    flows = sheets["flows"]
    for at in (2, 30, 60):
        flows.edit(at, "amount", f"{float(flows.frame.loc[at, 'amount']):,.2f}")
    clients = sheets["clients"]
    for at in (5, 25):
        clients.edit(at, "open_date", clients.frame.loc[at, "open_date"].replace("-", "/"))
        clients.edit(at, "is_payroll", "是" if clients.frame.loc[at, "is_payroll"] == "1" else "否")
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    households = sheets["households"]
    households.edit(6, "annual_income", households.frame.loc[6, "annual_income"].translate(wide))
    sheets["needs"].blank_after = 20


def _files(folder: Path, sheets: dict[str, _Sheet]) -> list[dict]:
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, sheet in sheets.items():
        lines, number = sheet.lines()
        file = f"{name}.csv"
        for tag, entry in sheet.marks:
            row = 1 if tag == "header" else number[tag]
            # A heading's fault has no value of its own.
            value = "" if tag == "header" else _value(sheet, tag, entry)
            found.append(
                {
                    "folder": folder.name,
                    "file": file,
                    "row": row,
                    "column": entry["at"],
                    "value": value,
                    "rule": entry["rule"],
                    "severity": entry["severity"],
                    "table": name,
                    "field": entry.get("field", entry["at"]),
                    "code": entry["code"],
                }
            )
        body = lines.to_csv(index=False, lineterminator="\r\n").split("\r\n")
        if sheet.blank_after is not None:
            body.insert(sheet.blank_after + 2, "," * (len(sheet.frame.columns) - 1))
        for raw, entry in sheet.raw:
            body.insert(len(body) - 1, raw)
            found.append({
                "folder": folder.name, "file": file, "row": len(body) - 1, "column": entry["at"],
                "value": "", "rule": entry["rule"], "severity": entry["severity"], "table": name,
                "field": entry["field"], "code": entry["code"],
            })  # fmt: skip
        coding = "gb18030" if name == _GBK else "utf-8-sig"
        (folder / file).write_bytes("\r\n".join(body).encode(coding))
    stray = "memo.csv"
    (folder / stray).write_bytes("想法\r\n给老客户打电话\r\n".encode("utf-8-sig"))
    found.append({"folder": folder.name, "file": stray, "row": None, "column": "", "value": "",
                  "rule": "FILE-07", "severity": "notice", "table": "", "field": "",
                  "code": "unknown_file"})  # fmt: skip
    return found


def _value(sheet: _Sheet, tag: object, entry: dict) -> str:
    if "value" in entry:
        return entry["value"]
    if isinstance(tag, tuple):
        return sheet.added[tag[1]][1].get(entry["at"], "")
    return str(sheet.frame.loc[tag, entry["at"]])


def _forbidden(folder: Path, text: dict[str, pd.DataFrame], spec: list[dict]) -> list[dict]:
    """A very small export with columns that may never be in a book."""
    folder.mkdir(parents=True, exist_ok=True)
    clients = text["clients"].groupby("branch_id").head(6)["client_id"]
    found = []
    for name in _FORBIDDEN:
        frame = text[name]
        if "client_id" in frame:
            frame = frame[frame["client_id"].isin(clients)]
        for entry in spec:
            if entry["table"] == name:
                frame = frame.assign(**{entry["column"]: entry["value"]})
                found.append(
                    {
                        "folder": folder.name,
                        "file": f"{name}.csv",
                        "row": 1,
                        "column": entry["column"],
                        "value": "",
                        "rule": entry["rule"],
                        "severity": "stop",
                        "table": name,
                        "field": "",
                        "code": entry["code"],
                    }
                )
        body = frame.to_csv(index=False, lineterminator="\r\n")
        (folder / f"{name}.csv").write_bytes(body.encode("utf-8-sig"))
    return found
