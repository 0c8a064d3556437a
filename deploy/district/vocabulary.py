"""The words the sample district is written with: names, streets, trades, codes.

Every company name begins with 示例 ("specimen") and every address lies in 示例市: none can be
taken for a real one.
"""

from __future__ import annotations

from typing import NamedTuple


class Trade(NamedTuple):
    """A line of business: its GB/T 4754-2017 code, its section letter, its word in a name, its scope."""

    industry: str
    section: str
    word: str
    scope: str


FOOD = Trade("5212", "F", "食品", "许可项目：食品销售；餐饮服务。一般项目：日用百货销售；食用农产品零售。")
CATERING = Trade("6210", "H", "餐饮管理", "许可项目：餐饮服务；食品销售。一般项目：餐饮管理。")
TRADES = (
    FOOD,
    CATERING,
    Trade("6220", "H", "快餐", "许可项目：餐饮服务。一般项目：外卖递送服务。"),
    Trade("5222", "F", "糕点", "许可项目：食品生产；食品销售。"),
    Trade("5223", "F", "果品", "一般项目：新鲜水果零售；新鲜蔬菜零售。"),
    Trade("5211", "F", "百货", "一般项目：日用百货销售；服装服饰零售；文具用品零售。"),
    Trade("5127", "F", "茶业", "许可项目：酒类经营；食品销售。一般项目：茶具销售。"),
    Trade("6513", "I", "软件", "一般项目：软件开发；信息系统集成服务；技术服务、技术咨询。"),
    Trade("7211", "L", "企业管理", "一般项目：企业总部管理；企业管理咨询。"),
    Trade("8040", "O", "美容美发", "许可项目：理发服务；生活美容服务。"),
    Trade("8111", "O", "汽车维修", "一般项目：机动车修理和维护；汽车零配件零售。"),
    Trade("1461", "C", "酱油", "许可项目：调味品生产；食品销售。"),
    Trade("2929", "C", "塑胶", "一般项目：塑料制品制造；塑料制品销售。"),
    Trade("3311", "C", "金属结构", "一般项目：金属结构制造；金属结构销售。"),
)

SPECIMEN = "示例"
HERE, ELSEWHERE = "示例市样本区", "示例邻市样本县"

BRANDS = "澄鹭嘉禾启明润泽瑞和海丰源茂祥永盛宏康安乐新远达通金玉兰芳春华秋实"
SURNAMES = "陈林黄张李王吴刘蔡杨许郑谢郭洪邱曾廖赖周"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华玉兰建国志文海"
STREETS = ("海明路", "鹭江道", "新阳街", "嵩山路", "东孚路", "兴港路", "滨湖北路", "沧林路", "角嵩路", "霞飞街")
DISTRICTS = ("350299001", "350299002", "350299003", "350299004")
OFFICE = "示例市市场监督管理局样本分局"

COMPANY_FORMS = ("有限公司", "有限责任公司", "股份有限公司")
SHOP_FORMS = ("店", "商行", "经营部", "小吃店")

# Xiamen-like local codes of registration states, as the department of the sample district uses them.
REGISTRATION_STATES: dict[str, tuple[str, ...]] = {
    "ACTIVE": ("0001", "0001", "0001", "0007", "0008", "0009"),
    "REVOKED": ("0006",),
    "REVOKED_CANCELLED": ("0010",),
    "CANCELLED": ("0004",),
    "RESCINDED": ("0012",),
    "MOVED_OUT": ("0011", "0002"),
    "OTHER": ("0003", "0005"),
}

# Golden Tax III; its `10` is 核销报验, which an older local list uses for "normal".
TAX_STATES: dict[str, tuple[str, ...]] = {
    "PENDING": ("01",),
    "PREPARING": ("02",),
    "NORMAL": ("03",),
    "SUSPENDED": ("04",),
    "ABNORMAL": ("05",),
    "LIQUIDATING": ("06",),
    "CANCELLED": ("07",),
    "ABNORMAL_CANCELLED": ("08",),
    "OTHER": ("09", "10", "11", "99"),
}

# An older list, of the state tax office: coarser, and its `10` is "normal".
STATE_TAX_STATES: dict[str, tuple[str, str]] = {
    "PENDING": ("00", "PENDING"),
    "PREPARING": ("00", "PENDING"),
    "NORMAL": ("10", "NORMAL"),
    "SUSPENDED": ("20", "SUSPENDED"),
    "ABNORMAL": ("30", "ABNORMAL"),
    "LIQUIDATING": ("10", "NORMAL"),
    "CANCELLED": ("40", "CANCELLED"),
    "ABNORMAL_CANCELLED": ("40", "CANCELLED"),
    "OTHER": ("10", "NORMAL"),
}

# LEREPSIGN: the role, and how the office is worded.
ROLES: dict[str, tuple[str, str]] = {
    "1": ("LEGAL_REPRESENTATIVE", "执行董事兼总经理"),
    "2": ("DIRECTOR", "董事"),
    "3": ("SUPERVISOR", "监事"),
    "4": ("OWNER", "经营者"),
}

LISTING_REASONS: dict[str, str] = {
    "1": "NO_ANNUAL_REPORT",
    "2": "NO_DISCLOSURE",
    "3": "FALSE_INFORMATION",
    "4": "UNREACHABLE",
}
REMOVAL_REASONS = ("已补报年度报告并公示", "已办理住所变更登记，可以取得联系", "企业注销，自动移出")

PERMIT_KINDS: dict[str, str] = {"食品": "FOOD", "普通": "GENERAL", "特许": "OTHER", "登记": "OTHER"}
PERMIT_STATES: dict[str, str] = {"VALID": "1", "EXPIRED": "2", "REVOKED": "3"}

SEXES: dict[str, str] = {"MALE": "1", "FEMALE": "2"}
REGISTER_STATES: dict[str, str] = {"ACTIVE": "1", "DECEASED": "2", "MOVED_OUT": "3", "CANCELLED": "9"}
RESIDENCE_STATES: dict[str, str] = {"VALID": "1", "EXPIRED": "2", "CANCELLED": "3", "REPLACED": "4"}
CHANGE_REASONS: dict[str, str] = {"DUPLICATE": "1", "WRONG": "2", "UPGRADED": "3", "OTHER": "9"}

INSURANCES: dict[str, str] = {
    "PENSION": "110",
    "UNEMPLOYMENT": "210",
    "MEDICAL": "310",
    "INJURY": "410",
    "MATERNITY": "510",
}
INSURANCE_STATES: dict[str, str] = {"INSURED": "1", "SUSPENDED": "2", "ENDED": "3", "RETIRED": "4"}
UNIT_STATES: dict[str, str] = {"NOT_INSURED": "0", "INSURED": "1", "SUSPENDED": "2", "ENDED": "3"}
