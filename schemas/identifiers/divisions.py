"""Administrative divisions: six digits that any edition of GB/T 2260 since 1980 has listed."""

from collections.abc import Collection
from functools import cache
from typing import Final

from stdnum import numdb

SYNTHETIC_DIVISION: Final = "350299"  # in no edition of GB/T 2260: whatever carries it belongs to nobody


def is_division(code: str, further: Collection[str] = ()) -> bool:
    """Whether six digits are an administrative division of any year since 1980, or one of `further`."""
    return code in further or _national_division(code)


@cache
def _national_division(code: str) -> bool:
    return any("county" in properties for _, properties in numdb.get("cn/loc").info(code))
