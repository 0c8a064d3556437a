"""Who gives out credit codes, and to whom: the first two characters (GB 32100-2015 and its amendments).

The list grows by amendment. A pair that is not in it is a warning to whoever keeps it, never a reason to
refuse the code. Drafts of the standard had another list, which still circulates.

>>> credit_code_kind("N2350299XX00000009"), credit_code_kind("ZZ")
('农业 村级集体经济组织', None)
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_UNNAMED = "（类别名称未见公布）"  # in the list, but no source we know says for whom

_DEPARTMENTS = {
    "1": ("机构编制", {"1": "机关", "2": "事业单位", "3": "编办直接管理机构编制的群众团体", "9": "其他"}),
    "2": ("外交", {"1": "外国常驻新闻机构", "9": "其他"}),
    "3": (
        "司法行政",
        {
            "1": "律师执业机构",
            "2": "公证处",
            "3": "基层法律服务所",
            "4": "司法鉴定机构",
            "5": "仲裁委员会",
            "6": "商事调解组织",
            "9": "其他",
        },
    ),
    "4": ("文化", {"1": "外国在华文化中心", "9": "其他"}),
    "5": (
        "民政",
        {
            "1": "社会团体",
            "2": "民办非企业单位",
            "3": "基金会",
            "4": "村民委员会",
            "5": "居民委员会",
            "9": "其他",
        },
    ),
    "6": (
        "旅游",
        {"1": "外国旅游部门常驻代表机构", "2": "港澳台地区旅游部门常驻内地（大陆）代表机构", "9": "其他"},
    ),
    "7": ("宗教", {"1": "宗教活动场所", "2": "宗教院校", "9": "其他"}),
    "8": ("工会", {"1": "基层工会", "2": "非法人工会组织", "9": "其他"}),
    "9": ("市场监督管理", {"1": "企业", "2": "个体工商户", "3": "农民专业合作社", "9": "其他"}),
    "A": ("中央军委", {"1": _UNNAMED, "9": "其他"}),
    "G": ("公安", {"1": "境外非政府组织代表机构", "9": "其他"}),
    "J": ("住房和城乡建设", {"1": "业主大会", "9": "其他"}),
    "N": (
        "农业",
        {"1": "组级集体经济组织", "2": "村级集体经济组织", "3": "乡镇级集体经济组织", "9": "其他"},
    ),
    "Q": ("侨联", {"1": _UNNAMED, "2": _UNNAMED, "3": _UNNAMED, "9": "其他"}),
    "Y": ("其他", {"1": "其他"}),
}

CREDIT_CODE_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        department + kind: f"{by} {what}"
        for department, (by, kinds) in _DEPARTMENTS.items()
        for kind, what in kinds.items()
    }
)


def credit_code_kind(value: str) -> str | None:
    """Registering department and kind of organisation of a canonical credit code; None where the list has none."""
    return CREDIT_CODE_KINDS.get(value[:2])
