"""A bank's own policy file: what it may say, and what it hears when something is wrong."""

import inspect
import pickle
import re
import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playbook.policy import (
    PolicyError,
    build,
    check_file,
    faults,
    files,
    load,
    rules,
    source,
    told,
    worded,
)
from playbook.text import entries, keys_under, t


def written(tmp_path: Path, text: str | bytes, name: str = "our_bank.yaml") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


# ------------------------------------------------------------------------- what it may say


def test_one_line_changes_one_number(tmp_path):
    path = written(tmp_path, "extends: cn6\ntiering: {near_ratio: 0.85}\n")
    policy = load(path)
    assert policy.tiering.near_ratio == 0.85
    assert policy.with_(**{"tiering.near_ratio": 0.9}).tiers == load("cn6").tiers
    assert policy.id == "our_bank"
    assert policy.own_keys == ["tiering.near_ratio"]
    note, preset = policy.notes["tiering.near_ratio"], load("cn6").notes["tiering.near_ratio"]
    assert (note.evidence, note.zh, note.en) == ("bank", preset.zh, preset.en)
    assert check_file(path).empty


def test_a_number_may_say_why(tmp_path):
    text = "extends: cn6\ntiering:\n  n_down: {value: 2, zh: 第 8 号文, en: Memo 8}\n"
    policy = load(written(tmp_path, text))
    assert policy.tiering.n_down == 2
    assert policy.notes["tiering.n_down"].zh == "第 8 号文"


def test_a_tier_is_put_where_its_floor_belongs(tmp_path):
    text = """
extends: cn6
tiers:
  T3plus: {floor: 1000000, name: {zh: 白金, en: Platinum}, in_scope: true}
standards:
  T3plus: {owner: {zh: 理财经理, en: Adviser}, max_clients: 200, contacts_per_year: 6,
           visits_per_year: 1, reviews_per_year: 1, digital_reviews_per_year: 0,
           diagnoses_per_year: 1, event_invites_per_year: 3, marketing_cap_per_year: 12,
           response_hours: 12}
"""
    policy = load(written(tmp_path, text))
    assert policy.tier_codes == ["T0", "T1", "T2", "T3", "T3plus", "T4", "T5"]
    assert list(policy.standards) == policy.tier_codes
    assert policy.tier_names("zh")["T3plus"] == "白金"
    assert policy.notes["tiers.T3plus.floor"].zh == load("cn6").notes["tiers.T3.floor"].zh


def test_null_takes_a_tier_and_its_standard_away(tmp_path):
    policy = load(written(tmp_path, "extends: cn6\ntiers: {T1: null}\n"))
    assert policy.tier_codes == list(policy.standards) == ["T0", "T2", "T3", "T4", "T5"]


def test_files_extend_files_beside_them(tmp_path):
    written(tmp_path, "extends: cn6\ntiering: {n_down: 2}\n", "province.yaml")
    policy = load(written(tmp_path, "extends: province.yaml\ntiering: {near_ratio: 0.8}\n"))
    assert (policy.tiering.n_down, policy.tiering.near_ratio) == (2, 0.8)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_as_notepad_saves_them(tmp_path, encoding, end):
    text = "# 本行方案\nextends: cn6\ntiers:\n  T3: {name: {zh: 黄金, en: Gold}}\n"
    raw = text.replace("\n", end).encode(encoding)
    assert load(written(tmp_path, raw)).tiers["T3"].name.zh == "黄金"


# ---------------------------------------------------------------------- what it hears: one each

# Each file is wrong in one way. The line that the reader must be sent to ends in `#!`.
WRONG = {
    "tab": "extends: cn6\ntiering:\n\tnear_ratio: 0.8 #!",
    "wide_sign": "extends: cn6\ntiering：  #!\n  near_ratio: 0.8",
    "syntax": "extends: cn6\ntiering: {near_ratio: 0.8 #!",
    "second_document": "extends: cn6\n--- #!\ntiering: {near_ratio: 0.8}",
    "strange_sign": "extends: cn6\ntiering: {near_ratio: 0.8\x07} #!",
    "too_deep": "[" * 5000 + " #!",
    "alias": "extends: cn6\ntiering: {n_down: &x 3,\n n_down_private: *x} #!",
    "tag": "extends: cn6\ntiering:\n  near_ratio: !share 0.8 #!",
    "key_twice": "extends: cn6\ntiering:\n  n_down: 3\n  n_down: 4 #!",
    "key_not_a_word": "extends: cn6\ntiering:\n  ? [n_down] #!\n  : 3",
    "yes_no": "extends: cn6\ntiers:\n  T1:\n    in_scope: yes #!",
    "clock_number": "extends: cn6\nstandards:\n  T3:\n    response_hours: 12:30 #!",
    "odd_number": "extends: cn6\ntiers:\n  T3:\n    floor: 0500000 #!",
    "no_such_day": "extends: cn6\npersona:\n  retirement_start: 2025-02-30 #!",
    "empty_file": "#!\n# 只有注释",
    "no_keys": "cn6 #!",
    "no_extends": "id: own #!\ntiering: {near_ratio: 0.8}",
    "extends_not_a_name": "extends: [cn6] #!",
    "extends_unknown": "tiering: {n_down: 3}\nextends: cn7 #!",
    "extends_cycle": "extends: our_bank.yaml #!",
    "unknown_key": "extends: cn6\nzzz: 1 #!",
    "unknown_key_near": "extends: cn6\ntiering:\n  near_ration: 0.8 #!",
    "missing": "extends: cn6\ntiers:\n  T9: #!\n    floor: 9000000\n    in_scope: true\n"
               "standards: {T9: null}",
    "bad_code": "extends: cn6\ntiers:\n  钻石: #!\n    {floor: 9000000}",
    "remove_unknown": "extends: cn6\ntiers:\n  T7: null #!",
    "note_key": "extends: cn6\ntiering:\n  n_down: {value: 3, why: memo} #!",
    "note_empty": "extends: cn6\ntiering:\n  n_down: {value: 3, zh: } #!",
    "note_unused": "extends: cn6\nnotes:\n  tiers.*.flor: {evidence: A} #!",
    "empty_value": "extends: cn6\ntiering: #!",
    "empty_text": "extends: cn6\ntiers: {T3: {name:\n  {zh: ' '}}} #!",
    "needs_quotes": "extends: cn6\ntiers: {T3: {name:\n  {zh: 2026}}} #!",
    "not_one_value": "extends: cn6\ntiers: {T3: {name:\n  {zh: [金]}}} #!",
    "not_a_list": "extends: cn6\nfamiliarity:\n  face_channels: visit #!",
    "not_a_group": "extends: cn6\ntiering: 3 #!",
    "not_a_number": "extends: cn6\ntiering:\n  near_ratio: high #!",
    "number_wan": "extends: cn6\ntiers:\n  T3:\n    floor: 50万 #!",
    "number_percent": "extends: cn6\ntiering:\n  near_ratio: 90% #!",
    "number_commas": "extends: cn6\ntiers:\n  T3:\n    floor: 1,000,000 #!",
    "number_wide": "extends: cn6\ntiers:\n  T3:\n    floor: ５０００００ #!",
    "number_quoted": "extends: cn6\ntiers:\n  T3:\n    floor: '500000' #!",
    "not_whole": "extends: cn6\ntiering:\n  n_down: 2.5 #!",
    "not_finite": "extends: cn6\ntiers:\n  T3:\n    floor: .inf #!",
    "out_of_range": "extends: cn6\ntiering:\n  near_ratio: 1.2 #!",
    "not_true_false": "extends: cn6\ntiers:\n  T1:\n    in_scope: maybe #!",
    "not_a_day": "extends: cn6\npersona:\n  retirement_start: soon #!",
    "not_known": "extends: cn6\ntiering:\n  basis: 全部 #!",
    "not_known_near": "extends: cn6\nfamiliarity:\n  face_channels:\n    - branch\n    - vist #!",
    "listed_twice": "extends: cn6\nfamiliarity:\n  face_channels:\n    - visit\n    - visit #!",
    "no_tiers": "extends: cn6\n"
                "tiers: {T0: null, T1: null, T2: null, T3: null, T4: null, T5: null} #!",
    "floor_not_zero": "extends: cn6\ntiers:\n  T0:\n    floor: 100 #!",
    "floor_not_rising": "extends: cn6\ntiers:\n  T3:\n    floor: 50000 #!",
    "scope_empty": "extends: cn6\n"
                   "tiers: {T2: {in_scope: false}, T3: {in_scope: false}, #!\n"
                   "        T4: {in_scope: false}, T5: {in_scope: false}}",
    "scope_gap": "extends: cn6\ntiers:\n  T4:\n    in_scope: false #!",
    "private_gap": "extends: cn6\ntiers:\n  T3:\n    private: true\n  T4:\n    private: false #!",
    "nurture_in_scope": "extends: cn6\ntiers:\n  T2:\n    nurture: true #!",
    "tier_name_twice": "extends: cn6\ntiers:\n  T3: {name: {en: Gold,\n    zh: 银}} #!",
    "standard_missing": "extends: cn6\ntiers:\n"
                        "  T6: #!\n    {floor: 9000000, name: {zh: 家办, en: Office},"
                        " in_scope: true, private: true}",
    "standard_extra": "extends: cn6\ntiers: {T5: null}\nstandards:\n  T5: #!\n"
                      "    {max_clients: 60}",
    "private_faster": "extends: cn6\ntiering:\n  n_down_private: 2 #!",
    "uhnw_too_low": "extends: cn6\ntiering:\n  uhnw_floor: 5000000 #!",
    "weight_missing": "extends: cn6\ntiering:\n  asset_weights: #!\n    gold: null",
    "order_missing": "extends: cn6\nstatus:\n  order: [lost, stable] #!",
    "order_first": "extends: cn6\nplanning:\n  class_order: [growth, duty, critical, standard] #!",
    "order_last": "extends: cn6\nstatus:\n  order: [lost, churn_warning, downgrade_warning,"
                  " dormant, new, recovered, stable,\n    upgrading] #!",
    "above_other": "extends: cn6\npersona:\n  payroll_min_months: 9 #!",
    "ladder_not_zero": "extends: cn6\nfamiliarity:\n  ladder:\n    stranger: 1 #!",
    "ladder_not_rising": "extends: cn6\nfamiliarity:\n  ladder:\n    familiar: 2 #!",
    "no_groups": "extends: cn6\ncompleteness:\n  groups: #!\n"
                 "    {basics: null, assets: null, cash_flow: null, family: null,"
                 " preference: null, goal: null, risk: null}",
    "no_fields": "extends: cn6\ncompleteness:\n  groups:\n    risk: {fields: []} #!",
}  # fmt: skip

# What is wrong with the file as a whole has no line.
WITHOUT_LINE = {
    "file_not_found": lambda folder: folder / "none.yaml",
    "is_a_folder": lambda folder: folder,
    "not_text_file": lambda folder: written(folder, "extends: cn6".encode("utf-16")),
    "no_such_preset": lambda folder: "cn66",
}


@pytest.mark.parametrize("code", WRONG)
def test_wrong_file_is_told_with_its_line(tmp_path, code):
    text = WRONG[code]
    found = check_file(written(tmp_path, text))
    marked = next(at for at, line in enumerate(text.split("\n"), 1) if "#!" in line)
    assert (code, marked) in set(zip(found["code"], found["line"], strict=True)), found
    assert set(found["file"]) == {str(tmp_path / "our_bank.yaml")}
    with pytest.raises(PolicyError) as refused:
        load(tmp_path / "our_bank.yaml")
    assert refused.value.faults.equals(found)


@pytest.mark.parametrize("code", WITHOUT_LINE)
def test_wrong_file_as_a_whole(tmp_path, code):
    found = check_file(WITHOUT_LINE[code](tmp_path))
    assert found["code"].tolist() == [code]
    assert found["line"].isna().all()


def test_line_of_an_undecodable_character(tmp_path):
    found = check_file(written(tmp_path, b"extends: cn6\n# \xff\xff\n"))
    assert found[["code", "line"]].values.tolist() == [["encoding", 2]]


def test_unreadable_file(tmp_path, monkeypatch):
    path = written(tmp_path, "extends: cn6\n")

    def locked(self):
        raise PermissionError(13, "locked")

    monkeypatch.setattr(Path, "read_bytes", locked)
    assert check_file(path)["code"].tolist() == ["file_unreadable"]


def test_every_fault_has_its_fixture():
    """The codes in the sentences, in the code and in the fixtures are the same ones."""
    fixtures = {*WRONG, *WITHOUT_LINE, "encoding", "file_unreadable"}
    told_codes = {key.removeprefix("policy.fault.") for key in keys_under("policy.fault.")}
    assert told_codes == fixtures
    code = "".join(inspect.getsource(room) for room in (build, files, rules, source, told))
    assert all(f'"{name}"' in code for name in told_codes)


# ------------------------------------------------------------------------- what it hears: all


def test_all_faults_at_once(tmp_path):
    text = """extends: cn6
tiers:
  T3: {floor: 50万}
  T1: {in_scope: yes}
tiering:
  near_ratio: 90%
  n_down_private: 2
status:
  order: [lost, stable]
stauts: {}
standards:
  T4: {max_clients: -1}
"""
    found = check_file(written(tmp_path, text))
    assert list(zip(found["line"], found["code"], strict=True)) == [
        (3, "number_wan"), (4, "yes_no"), (6, "number_percent"), (9, "order_missing"),
        (10, "unknown_key_near"), (12, "out_of_range"),
    ]  # fmt: skip
    # A rule between numbers speaks as soon as its own part is well written.
    text = text.replace("90%", "0.9")
    assert (7, "private_faster") in zip(
        *(check_file(written(tmp_path, text))[c] for c in ("line", "code")), strict=True
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [("50万", "500000"), ("50 万元", "500000"), ("1.5亿", "150000000"), ("1,000,000", "1000000"),
     ("90%", "0.9"), ("９０％", "0.9"), ("1e6", "1000000"), ("500000元", "500000")],
)  # fmt: skip
def test_how_to_write_the_number(tmp_path, text, hint):
    found = check_file(written(tmp_path, f"extends: cn6\ntiers:\n  T3:\n    floor: {text}\n"))
    assert found["hint"].tolist() == [hint]


def test_a_key_in_the_wrong_place_is_sent_to_the_right_one(tmp_path):
    found = check_file(written(tmp_path, "extends: cn6\nnear_ratio: 0.8\n"))
    assert found["hint"].tolist() == ["tiering.near_ratio"]


def test_a_fault_in_the_file_below_names_that_file(tmp_path):
    written(tmp_path, "extends: cn6\n\ntiering: {n_down: 0}\n", "province.yaml")
    found = check_file(written(tmp_path, "extends: province.yaml\n"))
    assert found[["file", "line", "code"]].values.tolist() == [
        [str(tmp_path / "province.yaml"), 3, "out_of_range"]
    ]


def test_circle_of_files(tmp_path):
    written(tmp_path, "extends: b.yaml\n", "a.yaml")
    found = check_file(written(tmp_path, "extends: a.yaml\n", "b.yaml"))
    assert found["code"].tolist() == ["extends_cycle"]
    assert found["hint"].tolist() == ["b.yaml -> a.yaml -> b.yaml"]


def test_lines_are_those_of_an_editor(tmp_path):
    # U+2028 breaks a line for YAML, not for the reader.
    text = "extends: cn6\r\nname: {zh: 'a\u2028b'}\r\ntiering:\r\n  n_down: 0\r\n"
    assert check_file(written(tmp_path, text))["line"].tolist() == [4]


@pytest.mark.parametrize("code", WRONG)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_fault_reads_as_a_sentence(tmp_path, code, lang):
    message = worded(check_file(written(tmp_path, WRONG[code])), lang)["message"]
    assert message.str.endswith("。" if lang == "zh" else (".", "\".")).all()
    assert not message.str.contains(r"[{}]\w*}|<NA>|None|  ", regex=True).any(), message.tolist()


def test_sentences_use_only_what_a_fault_knows():
    for key in keys_under("policy.fault."):
        zh, en = (
            {name for _, name, _, _ in string.Formatter().parse(words) if name}
            for words in (entries()[key]["zh"], entries()[key]["en"])
        )
        assert zh | en <= set(faults.COLUMNS) - {"line", "file", "code"}, key


def test_no_traceback_for_any_bytes(tmp_path):
    for raw in (b"", b"\xef\xbb\xbf", b"PK\x03\x04\0", b"%", b"? ", b"- a", b"{}", b"a: [", b"\t",
                b"extends: cn6\ntiers: []", b"extends: cn6\nstandards: x\ntiers: {T1: null}",
                b"extends: cn6\nnotes: 3", b"extends: cn6\nnotes:\n  a: 1", b"extends: ''",
                b"extends: cn6\ntiers: {T3: {value: 3}}", b"extends: cn6\n<<: {a: 1}"):  # fmt: skip
        assert len(check_file(written(tmp_path, raw))) >= 1, raw


GOOD = """extends: cn6
tiers:
  T3: {floor: 600000, name: {zh: 黄金, en: Gold}}
tiering:
  n_down: {value: 3, evidence: bank}
  asset_weights:
    gold: 0.5
familiarity:
  face_channels: [visit]
notes:
  tiers.*.floor: {evidence: A}
standards:
  T5: {max_clients: 50}
"""
PIECES = [":", " ", "\n", "\t", "null", "[", "]", "{", "}", "- ", "&a ", "*a", "yes", "1:30",
          "!!x ", "'", '"', "#", "万", "value", "|", "? ", "%", "@", ".nan", "2025-13-01", "0x1F",
          "<<: ", "evdence: ", "："]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 6), st.sampled_from(PIECES)),
                min_size=1, max_size=4))  # fmt: skip
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_traceback_for_any_slip_of_the_pen(tmp_path, slips):
    text = GOOD
    for at, gone, piece in slips:
        text = text[:at] + piece + text[at + gone :]
    path = written(tmp_path, text)
    found = check_file(path)
    if found.empty:
        load(path)
    assert worded(found, "zh")["message"].str.len().gt(0).all()
    assert found["line"].between(1, text.count("\n") + 1).all()


def test_error_survives_a_worker():
    with pytest.raises(PolicyError) as refused:
        load("cn6").with_(**{"tiering.n_down": 0})
    again = pickle.loads(pickle.dumps(refused.value))
    assert again.faults.equals(refused.value.faults)
    assert re.search(r"tiering\.n_down \[out_of_range\]", str(again))


def test_words_of_evidence_and_columns():
    for part in ("evidence.bank", "evidence.S", "column.message"):
        assert t(f"policy.{part}", "zh") != t(f"policy.{part}", "en")
