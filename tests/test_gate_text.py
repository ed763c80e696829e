"""Marketing language: what must be found however it is written, and what is no hit at all."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.gate import check_claims, check_text
from playbook.policy import law

FORBIDDEN = [
    "保本保收益", "稳赚", "零风险", "无风险", "保证收益", "肯定不亏", "和存款一样", "低风险",
    "低门槛",
    "秒到账", "高收益", "限时抢购", "最后机会", "内部消息",
]  # fmt: skip


@pytest.mark.parametrize("phrase", FORBIDDEN)
def test_every_listed_phrase_is_found(phrase):
    told = check_text(f"张先生您好，这款产品{phrase}，欢迎了解。")
    assert len(told) >= 1
    assert (told["rule"] == "MKT-01").all()
    assert phrase[:2] in "".join(told["found"])


@pytest.mark.parametrize("text", [
    "非保本浮动收益", "本产品不保本", "不保证收益", "不承诺保本", "不保证本金和收益",
    "不承诺保本保收益", "本产品不保本保收益", "不得承诺保本", "严禁宣传零风险", "并非零风险",
    "没有稳赚不赔的投资", "天下没有只赚不赔的买卖", "不存在零风险的产品", "不是无风险产品",
    "本材料无风险提示，请补充", "无风险利率下行", "没有风险评估的客户请先评估",
    "产品风险等级：低风险（R1）",
    "中低风险（R2）产品", "高收益往往伴随高风险", "高收益债券波动较大", "不等于和存款一样",
    "这并不意味着保证收益", "承诺保本保收益的说法违规", "社保本月调整", "确保本行客户权益",
    "医保收益人",
    "风险高，收益也高", "履行承诺，收益以实际为准", "门槛低，风险自担", "", "   ",
    "理财非存款，产品有风险",
    "the product is not risk free", "returns are not guaranteed", "No guaranteed return.",
    "the risk-free rate fell", "does not guarantee the principal",
])  # fmt: skip
def test_denials_and_other_meanings_are_no_hits(text):
    assert check_text(text)["found"].tolist() == []


@pytest.mark.parametrize(("text", "shown"), [
    ("保 本", "保本"), ("保　本", "保本"), ("保*本", "保本"), ("保.本", "保本"), ("保\u200b本",
    "保本"),
    ("保\n本", "保本"), ("保，本", "保本"), ("【保】【本】", "保本"), ("零-风-险", "零风险"),
    ("０风险", "零风险"),
    ("0 风险", "零风险"), ("保證收益", "保收益"), ("穩賺不賠", "稳赚"), ("無風險", "零风险"),
    ("稳 稳 赚", "稳赚"),
    ("高🔥收🔥益", "高收益"), ("秒——到——账", "秒到账"), ("ＲＩＳＫ　ＦＲＥＥ", "risk-free"),
    ("R.i.s.k-free", "risk-free"), ("guaranteed  returns", "guaranteed return"),
    ("保证最低收益5%", "保收益"), ("跟银行存款没区别", "和存款一样"), ("包赚", "稳赚"),
    ("超高收益", "高收益"), ("最后一次机会", "最后机会"), ("绝对不会亏", "肯定不亏"),
    ("没有任何风险", "零风险"),
])  # fmt: skip
def test_tricks_of_writing_do_not_help(text, shown):
    told = check_text(f"您好{text}哦")
    assert shown in told["shown"].tolist()


@pytest.mark.parametrize("text", [
    "不骗您，保本", "不仅保本，而且灵活", "非常保本", "不是不保本", "毫无疑问保本",
    "不用担心，稳赚",
    "不但零风险还送礼", "不只是高收益", "别家不行。我们保本！", "保本产品不得提前赎回",
    "高收益不可能错过",
    "not only guaranteed returns",
])  # fmt: skip
def test_a_no_that_denies_nothing_excuses_nothing(text):
    assert len(check_text(text)) >= 1


def test_hits_say_where_they_are_in_the_text_as_written():
    text = "您好：本品 保 *本，零风险"
    told = check_text(text)
    places = zip(told["start"], told["end"], strict=True)
    assert told["found"].tolist() == ["保 *本", "零风险"] == [text[a:b] for a, b in places]


def test_a_column_keeps_its_index_and_missing_texts_are_no_hits():
    told = check_text(pd.Series(["保本", None, "非保本", "稳赚"], index=[7, 8, 9, 10]))
    assert told["row"].tolist() == [7, 10]


def test_words_are_forbidden_from_their_own_day():
    assert check_text("低门槛", on="2026-09-29").empty
    assert check_text("低门槛", on="2026-09-30")["instrument"].tolist() == ["R17"]
    assert not check_text("保本", on="2026-09-29").empty


@given(st.sampled_from(["保本", "稳赚", "零风险", "秒到账"]),
       st.lists(st.sampled_from([" ", "　", "*", "-", "·", "\u200b", "~", "|", "#", "\t", "…"]),
                min_size=3, max_size=3))  # fmt: skip
def test_signs_between_the_letters_hide_nothing(phrase, signs):
    text = "".join(letter + sign for letter, sign in zip(phrase, signs * 2, strict=False))
    assert len(check_text(text)) >= 1


@given(st.text(max_size=40))
def test_any_text_can_be_checked_and_hits_lie_inside_it(text):
    told = check_text(text)
    for hit in told.itertuples():
        assert text[hit.start : hit.end] == hit.found != ""


@pytest.mark.parametrize(("text", "claim"), [
    ("留住老客户的成本只有开发新客户的五分之一", "CL-1"), ("升级率40%、50%、75%、85%", "CL-2"),
    ("标准普尔家庭资产象限图", "CL-11"), ("富裕客户风险承受能力更高", "CL-6"),
])  # fmt: skip
def test_training_claims_need_the_number_of_their_note(text, claim):
    assert check_claims(text)["claim"].tolist() == [claim]
    assert check_claims(f"{text}（见说法登记 {claim}）").empty
    assert check_claims("本行客户五分之一为老年客户").empty


def test_a_note_of_another_claim_does_not_count():
    assert check_claims("标准普尔象限（CL-1）")["claim"].tolist() == ["CL-11"]


def test_every_phrase_rests_on_a_dated_version():
    refs = {version.ref for version in law.rules()["MKT-01"].versions if version.since}
    ids = [phrase["id"] for phrase in law.phrases()["phrases"]]
    assert len(ids) == len(set(ids))
    assert {phrase["ref"] for phrase in law.phrases()["phrases"]} == refs
