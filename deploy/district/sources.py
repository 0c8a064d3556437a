"""The fifteen sources of the sample district: where each department keeps which rows, in columns of its own.

Every column is text. `states` says in which column a source states an attribute of which a subject has one;
lists (permits, residences, contributions, ...) are stated by whole rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Form = Literal["sql", "delimited", "xml", "xlsx"]

MARKET, STATE_TAX, LOCAL_TAX = "market_supervision", "state_tax", "local_tax"
POLICE, SOCIAL = "public_security", "social_security"
DEPARTMENTS: Final = (MARKET, STATE_TAX, LOCAL_TAX, POLICE, SOCIAL)
IN_DATABASES: Final = (MARKET, STATE_TAX, SOCIAL)
IN_FOLDERS: Final = (LOCAL_TAX, POLICE)

ENTERPRISE = f"{MARKET}.enterprise"
KEY_PERSON = f"{MARKET}.key_person"
ABNORMAL_LISTING = f"{MARKET}.abnormal_listing"
PERMIT = f"{MARKET}.permit"
STATE_TAXPAYER = f"{STATE_TAX}.taxpayer"
STATE_ARREARS = f"{STATE_TAX}.arrears"
CREDIT_RATING = f"{STATE_TAX}.credit_rating"
LOCAL_TAXPAYER = f"{LOCAL_TAX}.taxpayer"
LOCAL_ARREARS = f"{LOCAL_TAX}.arrears"
RESIDENT = f"{POLICE}.resident"
RESIDENCE = f"{POLICE}.residence"
IDENTITY_CHANGE = f"{POLICE}.identity_change"
INSURED_UNIT = f"{SOCIAL}.insured_unit"
RELATION = f"{SOCIAL}.insurance_relation"
CONTRIBUTION = f"{SOCIAL}.contribution_year"


class Flag(NamedTuple):
    """A column that says a row counts as deleted, and the value that says it."""

    column: str
    deleted: str


@dataclass(frozen=True, slots=True)
class Source:
    """One table, or one family of files."""

    name: str
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    form: Form = "sql"
    changed: str | None = None
    """The column with the row's last change."""
    flag: Flag | None = None
    months: str | None = None
    """Where many rows make one record a year: the column that holds their months."""
    numbers: tuple[str, ...] = ()
    """Columns that hold official numbers of companies and people."""
    personal: tuple[str, ...] = ()
    """Those of them that hold a person's."""
    states: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def department(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def family(self) -> str:
        """What its files are called by."""
        return f"{self.table.upper()}_350299"


_COMPANY_NUMBERS = ("UNISCID", "REGNO")
_TAX_NUMBERS = ("NSRSBH", "SHXYDM", "ZZJG_DM")
_DELETED_BY_OPERATION = Flag("CD_OPERATION", "d")
_ALL = (
    Source(
        ENTERPRISE, "scjg_qyjbxx",
        (
            "PRIPID", "UNISCID", "REGNO", "ENTNAME", "ENTTYPE", "REGSTATE", "NAME", "CERNO", "DOM", "DOMDISTRICT",
            "PROLOC", "REGCAP", "REGCAPCUR", "INDUSTRYCO", "INDUSTRYPHY", "OPSCOPE", "ESTDATE", "APPRDATE", "OPFROM",
            "OPTO", "REGORG", "CD_OPERATION", "CD_TIMESCN", "S_EXT_FROMNODE", "UPDATE_TIME",
        ),
        ("PRIPID",), changed="UPDATE_TIME", flag=_DELETED_BY_OPERATION,
        numbers=(*_COMPANY_NUMBERS, "CERNO"), personal=("CERNO",),
        states={
            "name": "ENTNAME", "status": "REGSTATE", "address": "DOM", "business_address": "PROLOC",
            "legal_representative": "NAME", "industry": "INDUSTRYCO", "scope": "OPSCOPE", "established_on": "ESTDATE",
        },
    ),
    Source(
        KEY_PERSON, "scjg_ryxx",
        (
            "PERSONID", "PRIPID", "UNISCID", "REGNO", "ENTNAME", "LEREPSIGN", "POSITION", "NAME", "CERTYPE", "CERNO",
            "COUNTRY", "CD_OPERATION", "UPDATE_TIME",
        ),
        ("PERSONID",), changed="UPDATE_TIME", flag=_DELETED_BY_OPERATION,
        numbers=(*_COMPANY_NUMBERS, "CERNO"), personal=("CERNO",),
    ),
    Source(
        ABNORMAL_LISTING, "scjg_jyyc",
        (
            "BUSEXCLIST", "PRIPID", "UNISCID", "REGNO", "SPECAUSE", "ABNTIME", "DECORG", "REMEXCPRES", "REMDATE",
            "REDECORG", "CD_OPERATION", "UPDATE_TIME",
        ),
        ("BUSEXCLIST",), changed="UPDATE_TIME", flag=_DELETED_BY_OPERATION, numbers=_COMPANY_NUMBERS,
    ),
    Source(
        PERMIT, "scjg_xzxk",
        (
            "XK_ID", "XK_XDR_MC", "XK_XDR_SHXYM", "XK_XDR_GSZC", "XK_WSH", "XK_XKLB", "XK_NR", "XK_JDRQ", "XK_YXQZ",
            "XK_YXQZI", "XK_XKJG", "XK_ZT", "CD_OPERATION", "UPDATE_TIME",
        ),
        ("XK_ID",), changed="UPDATE_TIME", flag=_DELETED_BY_OPERATION, numbers=("XK_XDR_SHXYM", "XK_XDR_GSZC"),
    ),
    Source(
        STATE_TAXPAYER, "gs_nsrxx",
        (
            "djxh", "nsrsbh", "shxydm", "zzjg_dm", "nsrmc", "nsrzt_dm", "djzclx_dm", "fddbrxm", "zcdz", "scjydz",
            "hy_dm", "djrq", "kyslrq", "is_deleted", "gxsj",
        ),
        ("djxh",), changed="gxsj", flag=Flag("is_deleted", "1"), numbers=("nsrsbh", "shxydm", "zzjg_dm"),
        states={
            "name": "nsrmc", "tax_status": "nsrzt_dm", "address": "zcdz", "business_address": "scjydz",
            "legal_representative": "fddbrxm", "industry": "hy_dm", "established_on": "kyslrq",
            "taxpayer_number": "nsrsbh",
        },
    ),
    Source(
        STATE_ARREARS, "gs_qsxx",
        ("qsxh", "djxh", "nsrsbh", "shxydm", "sfqs", "jzrq", "is_deleted", "gxsj"),
        ("qsxh",), changed="gxsj", flag=Flag("is_deleted", "1"), numbers=("nsrsbh", "shxydm"),
    ),
    Source(
        CREDIT_RATING, "gs_nsxy",
        ("pjxh", "djxh", "nsrsbh", "shxydm", "pjnd", "pjjg", "is_deleted", "gxsj"),
        ("pjxh",), changed="gxsj", flag=Flag("is_deleted", "1"), numbers=("nsrsbh", "shxydm"),
    ),
    Source(
        LOCAL_TAXPAYER, "dj_nsrxx",
        (
            "DJXH", "NSRSBH", "SHXYDM", "ZZJG_DM", "NSRMC", "NSRZT_DM", "DJZCLX_DM", "FDDBRXM", "FDDBRSFZJHM", "ZCDZ",
            "SCJYDZ", "HY_DM", "DJRQ", "KYSLRQ", "YXBZ", "LRRQ", "XGRQ",
        ),
        ("DJXH",), "delimited", changed="XGRQ", flag=Flag("YXBZ", "N"),
        numbers=(*_TAX_NUMBERS, "FDDBRSFZJHM"), personal=("FDDBRSFZJHM",),
        states={
            "name": "NSRMC", "tax_status": "NSRZT_DM", "address": "ZCDZ", "business_address": "SCJYDZ",
            "legal_representative": "FDDBRXM", "industry": "HY_DM", "established_on": "KYSLRQ",
            "taxpayer_number": "NSRSBH",
        },
    ),
    Source(
        LOCAL_ARREARS, "dj_qsxx", ("QSXH", "DJXH", "NSRSBH", "SHXYDM", "SFQS", "JZRQ", "YXBZ", "XGRQ"),
        ("QSXH",), "delimited", changed="XGRQ", flag=Flag("YXBZ", "N"), numbers=("NSRSBH", "SHXYDM"),
    ),
    Source(
        RESIDENT, "czrk",
        (
            "czrkrkid", "czrkgmsfhm", "czrkxm", "czrkcym", "czrkxb", "czrkmz", "czrkcsrq", "czrkswrq", "czrkswzxlb",
            "czrkqcrq", "czrkqczxlb", "czrkzxrq", "czrkzxbs", "czrkzz", "czrkssssxq", "czrkhh", "czrkyhzgx",
            "jmsfzjyxqqsrq", "jmsfzjyxqjzrq", "jmsfzjcqyxbz", "zt", "czrksjxgxsj",
        ),
        ("czrkrkid",), "xml", changed="czrksjxgxsj", numbers=("czrkgmsfhm",), personal=("czrkgmsfhm",),
        states={
            "name": "czrkxm", "sex": "czrkxb", "birth_date": "czrkcsrq", "ethnicity": "czrkmz",
            "register_status": "zt", "death_date": "czrkswrq", "household_address": "czrkzz",
            "household_division": "czrkssssxq", "household_number": "czrkhh", "household_relation": "czrkyhzgx",
            "card_valid_to": "jmsfzjyxqjzrq",
        },
    ),
    Source(
        RESIDENCE, "jzxx",
        ("jzid", "lb", "zzzh", "sfzh", "xm", "zzdz", "qxdm", "djrq", "zxrq", "djztdm", "qzyxqz", "gxsj"),
        ("jzid",), "xml", changed="gxsj", numbers=("zzzh", "sfzh"), personal=("zzzh", "sfzh"),
    ),
    Source(
        IDENTITY_CHANGE, "bgzm", ("证明编号", "原号码", "新号码", "变更原因", "变更日期"),
        ("证明编号",), "xlsx", numbers=("原号码", "新号码"), personal=("原号码", "新号码"),
    ),
    Source(
        INSURED_UNIT, "v_ab01",
        ("AAB001", "AAB004", "SHXYDM", "AAB003", "ZCH", "AAB019", "AAB050", "AAB051", "AAE100"),
        ("AAB001",), flag=Flag("AAE100", "0"), numbers=("SHXYDM", "AAB003", "ZCH"),
        states={"name": "AAB004", "insured_status": "AAB051", "insured_from": "AAB050"},
    ),
    Source(
        RELATION, "v_ac02",
        (
            "AAZ159", "AAC001", "AAC002", "AAC003", "AAC004", "AAC006", "AAB001", "AAB004", "SHXYDM", "AAB003",
            "AAE140", "AAC008", "AAE030", "AAE031", "AAE100",
        ),
        ("AAZ159",), flag=Flag("AAE100", "0"), numbers=("AAC002", "SHXYDM", "AAB003"), personal=("AAC002",),
        states={"name": "AAC003", "sex": "AAC004", "birth_date": "AAC006"},
    ),
    Source(
        CONTRIBUTION, "v_ac43", ("AAC001", "AAC002", "AAE140", "AAE003", "AAE078", "AAE079", "AAE100"),
        ("AAC001", "AAE140"), months="AAE003", flag=Flag("AAE100", "0"), numbers=("AAC002",), personal=("AAC002",),
    ),
)  # fmt: skip
SOURCES: Final[Mapping[str, Source]] = MappingProxyType({source.name: source for source in _ALL})


def of_department(department: str) -> list[Source]:
    return [source for source in _ALL if source.department == department]
