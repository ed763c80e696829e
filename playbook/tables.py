"""Every table of a client book, declared once: columns, labels, types, units, keys, privacy.

Everything else asks here: the loader what to accept, the generator what to write, the data
dictionary what to print, the reports which heading to show. A column is added in this file and
nowhere else.

Types
    ``str`` free text from the bank's own vocabulary · ``id`` an identifier of
    ``[A-Za-z0-9_-]{1,32}`` · ``enum`` one of ``allowed`` · ``bool`` · ``int`` · ``float`` ·
    ``money`` yuan to the cent · ``date`` · ``datetime`` · ``month`` ``YYYY-MM`` ·
    ``monthday`` ``MM-DD``.

Privacy classes
    ``P0`` not about a person · ``P1`` personal, pseudonymised · ``P2`` sensitive (accounts,
    health, minors). Columns that must never be in a book have no declaration at all; the loader
    refuses them by rule PRIV-01.

What happens to a date that lies after ``as_of`` (``Column.cut``)
    ``row`` the row is not known yet and is left out · ``blank`` the row is known, this value
    (and the columns in ``blanks``) is not · ``keep`` a date that may lie ahead, such as a
    maturity.
"""

# ruff: noqa: E501 - one column a line reads best, also where a label makes it long.
from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Type = Literal[
    "str", "id", "enum", "bool", "int", "float", "money", "date", "datetime", "month", "monthday"
]
Cut = Literal["keep", "row", "blank"]
Privacy = Literal["P0", "P1", "P2"]

PRODUCT_CLASSES = (
    "demand", "notice", "time_deposit", "large_cd", "bond", "wealth_open", "wealth_closed",
    "fund_money", "fund_bond", "fund_mixed", "fund_equity", "insurance_saving",
    "insurance_protect", "trust", "private", "gold",
)  # fmt: skip
RISK_LEVELS = ("R1", "R2", "R3", "R4", "R5")
CLIENT_LEVELS = ("C0", "C1", "C2", "C3", "C4", "C5")
CHANNELS = ("phone", "sms", "wecom", "visit", "branch", "event", "email")
PURPOSES = ("service", "marketing", "care")

#: Flow kinds that cross the bank's border: they change a client's total.
EXTERNAL_FLOWS = ("payroll", "transfer_self_otherbank", "transfer_other", "cash", "merchant", "fee")
#: Flow kinds that move money between a client's own product classes: the total stays.
INTERNAL_FLOWS = ("purchase", "redemption", "maturity")
#: Interest credited. Already inside ``balances_monthly.market_change``; never added to it.
RETURN_FLOWS = ("interest",)


@dataclass(frozen=True)
class Column:
    """One declared column.

    ``ref`` names the column a value must exist in (``table.column``); ``least`` is the smallest
    allowed number; ``optional`` columns may be missing from a file altogether, ``nullable`` ones
    may be empty in a row.
    """

    name: str
    zh: str
    en: str
    type: Type = "str"
    unit: str = ""
    key: bool = False
    nullable: bool = False
    optional: bool = False
    allowed: tuple[str, ...] = ()
    privacy: Privacy = "P0"
    ref: str = ""
    least: float | None = None
    cut: Cut = "keep"
    blanks: tuple[tuple[str, str | None], ...] = ()

    def label(self, lang: str) -> str:
        """Heading of the column in ``lang`` (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True)
class Table:
    """One declared table.

    ``scope`` is ``bank`` (the same for every branch) or ``branch``; ``required`` tables must be
    there for a book to open, the others make their figures "not available".
    """

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    required: bool = False
    scope: Literal["bank", "branch"] = "branch"
    note_zh: str = ""
    note_en: str = ""
    by_name: MappingProxyType = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", MappingProxyType({c.name: c for c in self.columns}))

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row."""
        return tuple(c.name for c in self.columns if c.key)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(c.name for c in self.columns)

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]

    def label(self, lang: str) -> str:
        """Name of the table in ``lang`` (``zh`` or ``en``)."""
        return self.zh if lang == "zh" else self.en


def _branch(key: bool = False) -> Column:
    # A file that belongs to one branch, or whose client tells the branch, may leave it out.
    return Column(
        "branch_id", "网点编号", "Branch id", "id", key=key, optional=not key, ref="branches.branch_id"
    )


def _client(name: str = "client_id", zh: str = "客户号", en: str = "Client id", **kw) -> Column:
    return Column(name, zh, en, "id", privacy="P1", ref="clients.client_id", **kw)


def _adviser(name: str = "adviser_id", zh: str = "理财经理工号", en: str = "Adviser id", **kw) -> Column:
    return Column(name, zh, en, "id", privacy="P1", ref="advisers.adviser_id", **kw)


def _product(**kw) -> Column:
    return Column("product_id", "产品代码", "Product id", "id", ref="products.product_id", **kw)


C = Column

BRANCHES = Table(
    "branches", "网点", "Branches",
    (
        C("branch_id", "网点编号", "Branch id", "id", key=True),
        C("branch_name", "网点名称", "Branch name"),
        C("city_tier", "城市等级", "City tier", "enum", allowed=("1", "2", "3", "4"), nullable=True),
        C("region", "区域", "Region", nullable=True),
        C("opened_on", "开业日", "Opened on", "date", nullable=True, cut="row"),
        C("preset", "分层方案", "Tier scheme", nullable=True),
        C("client_target_n", "客户数目标", "Client target", "int", "client", nullable=True, least=0),
        C("aum_target", "资产目标", "AUM target", "money", "yuan", nullable=True, least=0),
    ),
    required=True,
)  # fmt: skip

ADVISERS = Table(
    "advisers", "理财经理", "Advisers",
    (
        _branch(),
        C("adviser_id", "理财经理工号", "Adviser id", "id", key=True, privacy="P1"),
        C("level", "级别", "Level", "enum", allowed=("assistant", "adviser", "senior", "private")),
        C("qualified", "持证", "Qualified", "bool"),
        C("qualification_expiry", "资格到期日", "Qualification expiry", "date", nullable=True),
        C("hired_on", "入职日", "Hired on", "date", nullable=True, cut="row"),
        C("client_facing_share", "面客时间占比", "Client-facing share", "float", "share", nullable=True,
          least=0),
        C("skill_tag", "专长", "Skill", "enum", allowed=("invest", "plan", "care"), nullable=True),
    ),
    required=True,
)  # fmt: skip

HOUSEHOLDS = Table(
    "households", "家庭", "Households",
    (
        _branch(),
        C("household_id", "家庭编号", "Household id", "id", key=True, privacy="P1"),
        C("size", "家庭人口", "Household size", "int", "person", nullable=True, privacy="P1", least=1),
        C("children_n", "子女数", "Children", "int", "person", nullable=True, privacy="P2", least=0),
        C("children_band", "子女年龄段", "Children's age band", "enum", nullable=True, privacy="P2",
          allowed=("none", "0-6", "7-14", "15-18", "19+")),
        C("elders_n", "赡养老人数", "Elders supported", "int", "person", nullable=True, privacy="P1",
          least=0),
        C("stage", "家庭生命周期", "Life stage", "enum", nullable=True, privacy="P1",
          allowed=("single", "form", "grow", "mature", "retire")),
        C("monthly_expense", "月支出", "Monthly expense", "money", "yuan", nullable=True, privacy="P2",
          least=0),
        C("annual_income", "年收入", "Annual income", "money", "yuan", nullable=True, privacy="P2",
          least=0),
        C("liabilities", "负债", "Liabilities", "money", "yuan", nullable=True, privacy="P2", least=0),
        C("property_value", "房产价值", "Property value", "money", "yuan", nullable=True, privacy="P2",
          least=0),
    ),
)  # fmt: skip

CLIENTS = Table(
    "clients", "客户", "Clients",
    (
        _branch(),
        C("client_id", "客户号", "Client id", "id", key=True, privacy="P1"),
        C("household_id", "家庭编号", "Household id", "id", nullable=True, privacy="P1",
          ref="households.household_id"),
        C("household_role", "家庭角色", "Household role", "enum", nullable=True, privacy="P1",
          allowed=("head", "spouse", "child_adult", "parent", "single")),
        _adviser(nullable=True),
        C("open_date", "开户日", "Opened on", "date", privacy="P1", cut="row"),
        C("close_date", "销户日", "Closed on", "date", nullable=True, privacy="P1", cut="blank"),
        C("gender", "性别", "Gender", "enum", allowed=("F", "M", "U"), nullable=True, privacy="P1"),
        C("age", "年龄", "Age", "int", "year", nullable=True, privacy="P1", least=0),
        C("birth_month_day", "生日（月-日）", "Birthday (month-day)", "monthday", nullable=True,
          privacy="P1"),
        C("occupation", "职业", "Occupation", "enum", nullable=True, privacy="P1",
          allowed=("owner", "executive", "professional", "public", "employee", "retired", "home",
                   "student", "other")),
        C("is_business_owner", "企业主", "Business owner", "bool", nullable=True, privacy="P1"),
        C("is_merchant", "收单商户", "Merchant", "bool", nullable=True, optional=True, privacy="P1"),
        C("is_heir", "二代/继承", "Heir", "bool", nullable=True, optional=True, privacy="P1"),
        C("is_payroll", "代发", "Payroll client", "bool", nullable=True, privacy="P1"),
        C("payroll_months", "连续代发月数", "Payroll months in a row", "int", "month", nullable=True,
          privacy="P1", least=0),
        C("education", "学历", "Education", "enum", nullable=True, privacy="P1",
          allowed=("primary", "secondary", "college", "bachelor", "master", "doctor", "unknown")),
        C("city_tier", "城市等级", "City tier", "enum", allowed=("1", "2", "3", "4"), nullable=True),
        C("source_channel", "来源渠道", "Source channel", "enum", nullable=True,
          allowed=("own_outlet", "own_internal", "own_staff", "intermediary", "cross_industry",
                   "mgm", "unknown")),
        C("source_subtype", "来源细分", "Source subtype", "enum", nullable=True,
          allowed=("yuangu", "mosheng", "na")),
        C("referrer_id", "转介人客户号", "Referrer", "id", nullable=True, privacy="P1"),
        C("pref_channel", "偏好渠道", "Preferred channel", "enum", nullable=True, privacy="P1",
          allowed=("phone", "wecom", "sms", "visit", "branch", "email", "none")),
        C("best_time", "方便时段", "Best time", "enum", nullable=True, privacy="P1",
          allowed=("morning", "noon", "afternoon", "evening", "weekend", "any")),
        C("taboo_note_code", "忌讳码", "Taboo code", nullable=True, privacy="P1"),
        C("id_expiry", "证件到期日", "ID expiry", "date", nullable=True, privacy="P1"),
        C("cdd_due", "尽调复核日", "Due-diligence review due", "date", nullable=True, privacy="P1"),
        C("limited_capacity", "限制行为能力", "Limited capacity", "bool", nullable=True, privacy="P2"),
        C("is_staff", "本行员工", "Bank staff", "bool", nullable=True, privacy="P1"),
        C("qualified_investor_until", "合格投资者有效期", "Qualified investor until", "date",
          nullable=True, privacy="P2"),
        C("credit_grade", "信用等级", "Credit grade", "enum", nullable=True, privacy="P2",
          allowed=("A", "B", "C", "D")),
        C("status_manual", "人工标注状态", "Status set by hand", "enum", nullable=True, privacy="P1",
          allowed=("lost", "churn_warning", "downgrade_warning", "dormant", "new", "upgrading",
                   "recovered", "stable")),
    ),
    required=True,
)  # fmt: skip

CONSENTS = Table(
    "consents", "同意", "Consents",
    (
        _branch(),
        _client(key=True),
        C("channel", "渠道", "Channel", "enum", key=True,
          allowed=("phone", "sms", "wecom", "email", "app")),
        C("purpose", "用途", "Purpose", "enum", key=True,
          allowed=("service", "marketing", "profiling"), privacy="P1"),
        C("granted_on", "同意日", "Granted on", "date", key=True, privacy="P1", cut="row"),
        C("withdrawn_on", "撤回日", "Withdrawn on", "date", nullable=True, privacy="P1", cut="blank"),
        C("proof_id", "留痕编号", "Proof id", "id", nullable=True, privacy="P1"),
    ),
)  # fmt: skip

RISK_ASSESSMENTS = Table(
    "risk_assessments", "风险评估", "Risk assessments",
    (
        _branch(),
        C("ra_id", "评估编号", "Assessment id", "id", key=True, privacy="P1"),
        _client(),
        C("assessed_on", "评估日", "Assessed on", "date", privacy="P1", cut="row"),
        C("assessed_at", "评估时间", "Assessed at", "datetime", nullable=True, privacy="P1"),
        C("level", "风险承受等级", "Risk level", "enum", allowed=CLIENT_LEVELS, privacy="P2"),
        C("score", "评估得分", "Score", "int", "point", nullable=True, privacy="P2"),
        C("valid_until", "有效期至", "Valid until", "date", privacy="P1"),
        C("method", "评估方式", "Method", "enum", allowed=("branch", "app", "vtm"), nullable=True),
        C("assessed_by", "评估人", "Assessed by", "enum", allowed=("client_self", "staff")),
        C("version", "问卷版本", "Questionnaire version", nullable=True),
    ),
)  # fmt: skip

PRODUCTS = Table(
    "products", "产品", "Products",
    (
        C("product_id", "产品代码", "Product id", "id", key=True),
        C("product_name", "产品名称", "Product name"),
        C("issuer", "发行机构", "Issuer", nullable=True),
        C("is_own", "自营", "Own product", "bool", nullable=True),
        C("product_class", "产品大类", "Product class", "enum", allowed=PRODUCT_CLASSES),
        C("risk_level", "风险等级", "Risk level", "enum", allowed=RISK_LEVELS, nullable=True),
        C("risk_level_issuer", "发行方风险等级", "Issuer's risk level", "enum", allowed=RISK_LEVELS,
          nullable=True),
        C("min_amount", "起购金额", "Minimum amount", "money", "yuan", nullable=True, least=0),
        C("min_tier", "最低层级", "Minimum tier", nullable=True),
        C("qualified_only", "仅限合格投资者", "Qualified investors only", "bool", nullable=True),
        C("term_days", "期限（天）", "Term (days)", "int", "day", nullable=True, least=0),
        C("liquidity", "流动性", "Liquidity", "enum", allowed=("T0", "T1", "weekly", "closed"),
          nullable=True),
        C("dual_record", "双录", "Dual recording", "bool", nullable=True),
        C("cooling_off_days", "犹豫期（天）", "Cooling-off days", "int", "day", nullable=True, least=0),
        C("need_tag", "对应需求", "Need served", "enum", nullable=True,
          allowed=("retire", "medical", "education", "protect", "legacy", "growth", "liquidity")),
    ),
    scope="bank",
)  # fmt: skip

PRODUCT_NAV = Table(
    "product_nav", "净值与事件", "NAV and product events",
    (
        _product(key=True),
        C("date", "日期", "Date", "date", key=True, cut="row"),
        C("nav", "净值", "NAV", "float", nullable=True, least=0),
        C("event", "事件", "Event", "enum",
          allowed=("none", "dividend", "open", "rating_change", "maturity")),
        C("event_value", "事件值", "Event value", nullable=True),
    ),
    scope="bank",
)  # fmt: skip

BALANCES_MONTHLY = Table(
    "balances_monthly", "月度资产", "Monthly balances",
    (
        _branch(),
        _client(key=True),
        C("month", "月份", "Month", "month", key=True, cut="row"),
        C("product_class", "产品大类", "Product class", "enum", allowed=PRODUCT_CLASSES, key=True),
        C("month_avg", "月日均", "Month average", "money", "yuan", privacy="P2", least=0),
        C("month_end", "月末时点", "Month end", "money", "yuan", privacy="P2", least=0),
        C("market_change", "估值与利息变动", "Market change and interest", "money", "yuan",
          nullable=True, optional=True, privacy="P2"),
        C("quarter_avg", "季日均", "Quarter average", "money", "yuan", nullable=True, optional=True,
          privacy="P2", least=0),
        C("year_avg", "年日均", "Year average", "money", "yuan", nullable=True, optional=True,
          privacy="P2", least=0),
    ),
    required=True,
    note_zh="每位客户每月每类资产一行；某月某类无行即为零。估值与利息变动含当月已结利息，用于资产增长分解（K28）。",
    note_en="One row per client, month and product class; no row means zero. Market change includes "
    "the month's interest and feeds the growth identity (K28).",
)  # fmt: skip

HOLDINGS = Table(
    "holdings", "持仓", "Holdings",
    (
        _branch(),
        C("holding_id", "持仓编号", "Holding id", "id", key=True, privacy="P1"),
        _client(),
        _product(),
        C("start_date", "起始日", "Start date", "date", privacy="P1", cut="row"),
        C("maturity_date", "到期日", "Maturity date", "date", nullable=True, privacy="P1"),
        C("ended_on", "结清日", "Ended on", "date", nullable=True, optional=True, privacy="P1",
          cut="blank"),
        C("principal", "本金", "Principal", "money", "yuan", privacy="P2", least=0),
        C("market_value", "市值", "Market value", "money", "yuan", nullable=True, privacy="P2", least=0),
        C("cost_nav", "成本净值", "Cost NAV", "float", nullable=True, privacy="P2", least=0),
        C("auto_renew", "自动转存", "Auto-renew", "bool", nullable=True, privacy="P1"),
        C("as_of", "估值日", "Valued on", "date", nullable=True, cut="blank",
          blanks=(("market_value", None),)),
    ),
    note_zh="含已结清的持仓：结清日为空表示仍在持有。",
    note_en="Ended holdings stay in the table; an empty end date means still held.",
)  # fmt: skip

FLOWS = Table(
    "flows", "资金流水汇总", "Flows",
    (
        _branch(),
        C("flow_id", "流水编号", "Flow id", "id", key=True, privacy="P1"),
        _client(),
        C("date", "日期", "Date", "date", privacy="P1", cut="row"),
        C("direction", "方向", "Direction", "enum", allowed=("in", "out")),
        C("amount", "金额", "Amount", "money", "yuan", privacy="P2", least=0),
        C("kind", "类型", "Kind", "enum", allowed=EXTERNAL_FLOWS + INTERNAL_FLOWS + RETURN_FLOWS),
        _product(nullable=True),
    ),
    note_zh="不含对手方姓名。申购、赎回、到期在客户自己的资产之间移动；利息已含在月度资产的估值与利息变动中。",
    note_en="No counterparty names. Purchase, redemption and maturity move money between the "
    "client's own classes; interest is already inside the monthly market change.",
)  # fmt: skip

CONTACTS = Table(
    "contacts", "接触记录", "Contacts",
    (
        _branch(),
        C("contact_id", "接触编号", "Contact id", "id", key=True, privacy="P1"),
        _client(),
        _adviser(),
        C("at", "时间", "At", "datetime", privacy="P1", cut="row"),
        C("channel", "渠道", "Channel", "enum", allowed=CHANNELS, privacy="P1"),
        C("purpose", "用途", "Purpose", "enum", allowed=PURPOSES),
        C("trigger_code", "触发事件", "Trigger", nullable=True),
        C("plan_id", "计划编号", "Plan id", "id", nullable=True),
        C("reached", "触达", "Reached", "bool"),
        C("opened", "开口", "Opened", "bool"),
        C("need_found", "需求确认", "Need found", "bool"),
        C("proposal", "方案", "Proposal", "bool"),
        C("deal", "成交/行动", "Deal", "bool"),
        C("outcome", "结果", "Outcome", "enum", nullable=True, privacy="P1",
          allowed=("no_answer", "refused", "talked", "appointment", "done", "complaint", "opt_out")),
        C("minutes", "用时（分钟）", "Minutes", "int", "minute", nullable=True, least=0),
        C("content_id", "内容编号", "Content id", "id", nullable=True),
        C("dual_record_id", "双录编号", "Recording id", "id", nullable=True, privacy="P1"),
        C("next_date", "下次联系日", "Next date", "date", nullable=True, privacy="P1"),
        C("note_code", "备注码", "Note code", nullable=True, privacy="P1"),
    ),
)  # fmt: skip

PLANS = Table(
    "plans", "计划", "Plans",
    (
        _branch(),
        C("plan_id", "计划编号", "Plan id", "id", key=True),
        _client(),
        _adviser(),
        C("month", "月份", "Month", "month", cut="row"),
        C("why", "为什么", "Why", privacy="P1"),
        C("what", "做什么", "What", nullable=True, privacy="P1"),
        C("when", "时点", "When", nullable=True, privacy="P1"),
        C("scene", "场景", "Where", nullable=True, privacy="P1"),
        C("how", "如何", "How", nullable=True, privacy="P1"),
        C("goal", "目标", "Goal", nullable=True, privacy="P1"),
        C("owner_dept", "责任部门", "Owner department", nullable=True),
        C("minutes", "用时（分钟）", "Minutes", "int", "minute", nullable=True, least=0),
        C("priority", "优先级", "Priority", "int", nullable=True),
        C("status", "计划状态", "Plan status", "enum",
          allowed=("planned", "done", "dropped", "denied")),
        C("deny_rules", "拒绝规则", "Deny rules", nullable=True),
    ),
)  # fmt: skip

NEEDS = Table(
    "needs", "需求与KYC事实", "Needs and KYC facts",
    (
        _branch(),
        _client(key=True),
        C("field", "字段", "Field", "id", key=True),
        C("value", "取值", "Value", nullable=True, privacy="P2"),
        C("updated_on", "更新日", "Updated on", "date", privacy="P1", cut="row"),
        C("source", "来源", "Source", "enum", allowed=("client", "inferred"), nullable=True),
    ),
)  # fmt: skip

EVENTS = Table(
    "events", "活动", "Events",
    (
        _branch(),
        C("event_id", "活动编号", "Event id", "id", key=True),
        C("type", "活动类型", "Event type", "enum",
          allowed=("lecture", "salon", "reception", "golf", "art", "parent_child", "travel",
                   "symposium", "club", "education")),
        C("title", "活动主题", "Title"),
        C("date", "活动日期", "Date", "date", cut="row"),
        C("cost", "活动费用", "Cost", "money", "yuan", nullable=True, least=0),
        C("capacity", "名额", "Capacity", "int", "person", nullable=True, least=0),
        C("persona_target", "目标客群", "Target persona", nullable=True),
        C("need_tag", "对应需求", "Need served", nullable=True),
        C("content_id", "内容编号", "Content id", "id", nullable=True),
    ),
)  # fmt: skip

EVENT_ATTENDANCE = Table(
    "event_attendance", "活动出席", "Event attendance",
    (
        _branch(),
        C("event_id", "活动编号", "Event id", "id", key=True, ref="events.event_id"),
        _client(key=True),
        C("invited", "已邀约", "Invited", "bool"),
        C("accepted", "已接受", "Accepted", "bool"),
        C("attended", "已出席", "Attended", "bool"),
        C("guest_n", "携友人数", "Guests", "int", "person", nullable=True, least=0),
        C("benefit_value", "权益价值", "Benefit value", "money", "yuan", nullable=True, least=0),
        C("benefit_condition", "权益条件", "Benefit condition", "enum", nullable=True,
          allowed=("none", "deposit", "purchase")),
    ),
)  # fmt: skip

COMPLAINTS = Table(
    "complaints", "投诉", "Complaints",
    (
        _branch(),
        C("complaint_id", "投诉编号", "Complaint id", "id", key=True),
        _client(),
        C("received_on", "受理日", "Received on", "date", privacy="P1", cut="row"),
        C("channel", "渠道", "Channel", "enum", nullable=True,
          allowed=("phone", "branch", "app", "letter", "regulator", "other")),
        C("category", "类别", "Category", "enum",
          allowed=("wealth_loss", "misleading", "service", "system", "fee", "privacy", "other")),
        C("severity", "严重程度", "Severity", "enum", allowed=("low", "medium", "high"), nullable=True),
        C("complex", "复杂案件", "Complex", "bool", nullable=True),
        C("extended_on", "延期批准日", "Extended on", "date", nullable=True, cut="blank"),
        C("closed_on", "办结日", "Closed on", "date", nullable=True, cut="blank",
          blanks=(("root_cause", None),)),
        _adviser("handler_id", "经办人工号", "Handler", nullable=True),
        _adviser("against_adviser_id", "被投诉人工号", "Adviser complained about", nullable=True),
        C("root_cause", "根因", "Root cause", nullable=True),
        C("repeat_of", "重复于", "Repeat of", "id", nullable=True),
    ),
)  # fmt: skip

REFERRALS = Table(
    "referrals", "转介", "Referrals",
    (
        _branch(),
        C("referral_id", "转介编号", "Referral id", "id", key=True),
        _client("referrer_client_id", "转介人客户号", "Referrer"),
        C("asked_on", "请求日", "Asked on", "date", privacy="P1", cut="row"),
        C("referred_on", "转介日", "Referred on", "date", nullable=True, privacy="P1", cut="blank",
          blanks=(("referee_client_id", None), ("relation", None), ("referee_consent", None),
                  ("state", "asked"))),
        C("referee_client_id", "被转介客户号", "Referee", "id", nullable=True, privacy="P1"),
        C("relation", "关系", "Relation", "enum", allowed=("family", "friend", "business"),
          nullable=True, privacy="P1"),
        C("referee_consent", "被转介人同意", "Referee's consent", "bool", nullable=True, privacy="P1"),
        C("opened_on", "开户日", "Opened on", "date", nullable=True, privacy="P1", cut="blank",
          blanks=(("aum_at_receipt", None), ("aum_90d", None), ("state", "referred"))),
        C("aum_at_receipt", "承接时资产", "AUM at receipt", "money", "yuan", nullable=True, privacy="P2",
          least=0),
        C("aum_90d", "90天资产", "AUM after 90 days", "money", "yuan", nullable=True, privacy="P2",
          least=0),
        C("reward_type", "奖励形式", "Reward", "enum", allowed=("none", "points", "cash", "gift"),
          nullable=True),
        C("state", "状态", "State", "enum",
          allowed=("asked", "referred", "contacted", "opened", "qualified", "lost")),
    ),
)  # fmt: skip

COSTS = Table(
    "costs", "成本", "Costs",
    (
        _branch(key=True),
        C("month", "月份", "Month", "month", key=True, cut="row"),
        C("bucket", "成本项", "Cost bucket", "enum", key=True,
          allowed=("acq_marketing", "acq_staff", "keep_service", "keep_events", "keep_staff",
                   "system")),
        C("amount", "金额", "Amount", "money", "yuan", least=0),
    ),
)  # fmt: skip

#: All tables in reading order. Attendance belongs to its events: eighteen subjects, nineteen files.
TABLES: MappingProxyType[str, Table] = MappingProxyType({
    table.name: table
    for table in (
        BRANCHES, ADVISERS, HOUSEHOLDS, CLIENTS, CONSENTS, RISK_ASSESSMENTS, PRODUCTS, PRODUCT_NAV,
        BALANCES_MONTHLY, HOLDINGS, FLOWS, CONTACTS, PLANS, NEEDS, EVENTS, EVENT_ATTENDANCE,
        COMPLAINTS, REFERRALS, COSTS,
    )
})  # fmt: skip
