"""The policy: presets, what-if copies, fingerprints, forbidden columns."""

import ast
import copy
import datetime as dt
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import playbook
from playbook import tables
from playbook.policy import (
    FAMILIARITY,
    PERSONAS,
    STATUSES,
    Policy,
    PolicyError,
    diff,
    forbidden,
    load,
    presets,
    show,
)
from playbook.text import has

FLOORS = {
    "cn6": [0, 50_000, 200_000, 500_000, 2_000_000, 6_000_000],
    "boc_like": [0, 200_000, 2_000_000, 8_000_000],
    "cmb_like": [0, 50_000, 500_000, 5_000_000, 10_000_000],
    "county_bank": [0, 50_000, 300_000, 500_000, 1_000_000, 3_000_000],
    "seed_3tier": [0, 200_000, 2_000_000, 30_000_000],
    "seed_4tier": [0, 200_000, 500_000, 2_000_000],
}


def leaves(value: object, path: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict):
        found = []
        for name, part in value.items():
            found += leaves(part, f"{path}.{name}" if path else name)
        return found
    return [(path, value)]


def values(policy: Policy) -> dict[str, object]:
    return dict(leaves(policy.model_dump(exclude={"notes"})))


CN6 = load("cn6")
VALUES = values(CN6)


# ------------------------------------------------------------------------------------ presets


def test_presets_are_the_six():
    assert presets()[0] == "cn6"
    assert set(presets()) == set(FLOORS)


@pytest.mark.parametrize("name", FLOORS)
def test_preset(name):
    policy = load(name)
    assert policy.id == name
    assert policy.floors.tolist() == FLOORS[name]
    assert list(policy.standards) == policy.tier_codes == list(policy.tiers)
    assert policy.in_scope == policy.tier_codes[-len(policy.in_scope) :]
    assert policy.tier_dtype.ordered
    assert policy.tier_dtype.categories.tolist() == policy.tier_codes
    assert len(set(policy.tier_names("zh").values())) == len(policy.tiers)
    assert len(set(policy.tier_names("en").values())) == len(policy.tiers)
    assert policy.own_keys == []


@pytest.mark.parametrize("name", FLOORS)
def test_every_number_says_what_it_means_and_where_it_comes_from(name):
    policy = load(name)
    for key, value in values(policy).items():
        if isinstance(value, (int, float, dt.date)) and not isinstance(value, bool):
            note = policy.notes[key]
            assert note.evidence in ("P", "L", "R", "M", "A") or note.evidence[:3] == "S:D", key
            assert note.zh != note.en
            assert any("\u4e00" <= sign <= "\u9fff" for sign in note.zh), key


@pytest.mark.parametrize("name", FLOORS)
def test_better_tiers_are_served_at_least_as_well(name):
    for below, above in pairwise(load(name).standards.values()):
        for field in ("contacts_per_year", "visits_per_year", "event_invites_per_year"):
            assert getattr(above, field) >= getattr(below, field)
        assert above.response_hours <= below.response_hours


@pytest.mark.parametrize("name", FLOORS)
def test_presets_with_other_tiers_leave_nothing_of_cn6_in_their_tiers(name):
    """What a preset calls a tier is said in its own file, never left over from the default."""
    if name == "cn6":
        return
    text = (Path(playbook.__file__).parent / "policy" / "presets" / f"{name}.yaml").read_text(
        encoding="utf-8"
    )
    policy = load(name)
    for part in ("floor", "in_scope", "private", "nurture", "contacts_per_year", "response_hours"):
        assert text.count(f"    {part}: ") == len(policy.tiers), part


def test_persona_status_familiarity_codes():
    assert CN6.persona.order == PERSONAS and CN6.persona.order[-1] == "other"
    assert CN6.status.order == STATUSES and CN6.status.order[-1] == "stable"
    assert tuple(CN6.familiarity.ladder) == FAMILIARITY
    assert set(CN6.tiering.asset_weights) == set(tables.PRODUCT_CLASSES)


def test_private_tiers_are_left_more_slowly():
    assert [CN6.n_down(code) for code in CN6.tier_codes] == [3, 3, 3, 3, 3, 6]


# ------------------------------------------------------------------------------------ what-if


def test_with_changes_a_copy():
    before = CN6.fingerprint
    other = CN6.with_(**{"tiering.near_ratio": 0.85, "tiers.T3.floor": np.int64(600_000)})
    assert other.tiering.near_ratio == 0.85
    assert other.floors[3] == 600_000
    assert other.own_keys == ["tiers.T3.floor", "tiering.near_ratio"]
    assert CN6.fingerprint == before != other.fingerprint
    assert CN6.with_() == CN6


def test_with_adds_and_removes_a_tier():
    top = CN6.tiers["T5"].model_dump() | {"floor": 30e6, "name": {"zh": "家办", "en": "Office"}}
    wider = CN6.with_(**{"tiers.T6": top, "standards.T6": CN6.standards["T5"].model_dump()})
    assert wider.tier_codes[-1] == "T6"
    assert wider.with_(**{"tiers.T6": None}).tier_codes == CN6.tier_codes


def test_with_refuses_all_at_once():
    with pytest.raises(PolicyError) as refused:
        CN6.with_(**{"tiers.T3.floor": 1, "tiering.n_down": 0, "tiering.near_ration": 1})
    assert set(refused.value.faults["code"]) == {
        "floor_not_rising", "out_of_range", "unknown_key_near",
    }  # fmt: skip


def test_values_never_change():
    with pytest.raises(ValueError, match="frozen"):
        CN6.tiering.n_down = 4


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**7), st.floats(), st.text(max_size=8),
    st.dates(), st.lists(st.sampled_from([*PERSONAS, *STATUSES, *tables.CHANNELS]), max_size=4),
    st.dictionaries(st.sampled_from(["floor", "zh", "n_down", "T9"]), st.integers(), max_size=2),
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*VALUES, "tiers.T1", "standards.T5", "tiering"]), ANY,
                       min_size=1, max_size=4))  # fmt: skip
def test_any_change_is_refused_with_words_or_keeps_the_rules(changes):
    try:
        policy = CN6.with_(**changes)
    except PolicyError as refused:
        assert len(refused.faults) >= 1
        assert all(has(f"policy.fault.{code}") for code in refused.faults["code"])
        return
    assert policy.floors[0] == 0
    assert (np.diff(policy.floors) > 0).all()
    assert list(policy.standards) == policy.tier_codes
    assert policy.in_scope and policy.in_scope[-1] == policy.tier_codes[-1]
    assert 0 < policy.tiering.near_ratio < 1
    assert all(policy.n_down(code) >= 1 for code in policy.tier_codes)
    assert sorted(policy.persona.order) == sorted(PERSONAS)
    assert sorted(policy.status.order) == sorted(STATUSES)
    assert Policy(**policy.model_dump()) == policy


@given(st.sampled_from(sorted(k for k, v in VALUES.items() if type(v) in (int, float))),
       st.floats(0.5, 1.5))  # fmt: skip
def test_fingerprint_is_equal_exactly_when_the_policy_is(key, factor):
    value = type(VALUES[key])(VALUES[key] * factor)
    try:
        other = CN6.with_(**{key: value})
    except PolicyError:
        return
    same = CN6.with_(**{key: value})
    assert same.fingerprint == other.fingerprint
    back = values(other)[key] == VALUES[key]
    renoted = other.model_copy(update={"notes": CN6.notes})
    assert (renoted.fingerprint == CN6.fingerprint) == back


def test_fingerprint_survives_copies_and_workers():
    for again in (copy.deepcopy(CN6), pickle.loads(pickle.dumps(CN6))):
        assert again.fingerprint == CN6.fingerprint and again == CN6
    assert len({load(name).fingerprint for name in presets()}) == len(presets())


# ----------------------------------------------------------------------------- show and compare


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_show_tells_every_value(lang):
    table = show(CN6, lang)
    assert table.columns.tolist() == ["key", "value", "evidence", "meaning"]
    assert set(table["key"]) == set(VALUES)
    assert (table["meaning"] != "").all() and (table["evidence"] != "").all()
    read = table.set_index("key")["value"]
    assert read["tiers.T5.floor"] == "6,000,000"
    assert read["tiering.near_ratio"] == "0.9"
    assert read["familiarity.face_channels"] == "visit, branch"
    assert read["standards.T1.max_clients"] == ""


def test_diff_names_what_differs():
    table = diff(CN6, CN6.with_(**{"tiering.n_down": 2}), "zh")
    assert table[["key", "a", "b"]].values.tolist() == [["tiering.n_down", "3", "2"]]
    assert diff(CN6, CN6).empty
    gone = diff(CN6, CN6.with_(**{"tiers.T1": None}), "en").set_index("key")
    assert gone.loc["tiers.T1.floor", ["a", "b"]].tolist() == ["50,000", ""]
    assert "only in cn6" in gone.loc["tiers.T1.floor", "note"]


# --------------------------------------------------------------------------- forbidden columns


def test_no_declared_heading_is_forbidden():
    for table in tables.TABLES.values():
        for column in table.columns:
            for heading in (column.name, column.zh, column.en):
                assert forbidden(heading) is None, (table.name, heading)


@pytest.mark.parametrize("heading", [
    "客户姓名", "姓名", "Cust_Name", "CustName", "NAME", "name", "Full Name", "客户名称",
    "ＩＤ　Ｎｕｍｂｅｒ", "id_number", "IdCardNo", "身份证号", "证件号码", "passport_no",
    "mobile_phone", "Phone", "手机号", "手 机 号", "手机\u200b号", "联系电话", "tel", "联系方式",
    "家庭住址", "地址", "home_address", "Address", "通讯地址", "card_no", "卡号", "账号", "帐号",
    "account_no", "AccountNumber", "acct-no", "银行卡号", "E-mail", "email address", "邮箱",
    "photo", "照片", "fingerprint", "人脸特征", "biometric_id", "备注", "备注全文", "diary",
    "free_text_note", "chat_log", "微信号", "wechat_id", "出生日期", "date_of_birth", "DOB",
    "counterparty_name", "交易对手名称",
])  # fmt: skip
def test_personal_columns_are_refused(heading):
    assert forbidden(heading) == "PRIV-01"


@pytest.mark.parametrize("heading", [
    "是否可疑交易", "可疑标志", "suspicious", "Is_Suspicious", "str_flag", "STR", "aml_alert",
    "AMLAlert", "aml_risk", "反洗钱预警", "反 洗 钱 等级", "涉案账户标识", "sanction_hit",
])  # fmt: skip
def test_suspicion_columns_are_refused(heading):
    assert forbidden(heading) == "AML-01"


@pytest.mark.parametrize("heading", [
    "branch_name", "product_name", "产品名称", "手机银行", "手机银行签约", "phone_consent",
    "电话渠道", "note_code", "备注码", "account_n", "账户数", "card_n", "信用卡持有", "string",
    "family", "named_by", "identity", "", "姓", "网点名称", "活动主题", "strength", "mobile_app",
])  # fmt: skip
def test_ordinary_columns_pass(heading):
    assert forbidden(heading) is None


# ------------------------------------------------------------------------------ one home each


def test_no_amount_of_the_method_is_written_in_code():
    """Policy is data: no floor, amount or age band of any preset stands in the steps' code."""
    amounts = {
        float(value)
        for name in presets()
        for value in values(load(name)).values()
        if type(value) in (int, float) and value >= 20_000
    }
    root = Path(playbook.__file__).parent
    rooms = ("policy", "gate", "segment", "plan", "engage", "value")
    found = [
        f"{path.relative_to(root)}:{node.lineno}: {node.value}"
        for room in rooms
        for path in sorted((root / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and type(node.value) in (int, float)
        and float(node.value) in amounts
    ]
    assert found == []


def test_policy_reads_like_its_file():
    """The keys of ``show`` are those a bank writes in its file."""
    assert pd.Series(VALUES).index.str.match(r"^[A-Za-z_0-9.-]+$").all()
