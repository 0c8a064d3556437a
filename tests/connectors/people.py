"""People that nobody is: a number of every document, and months for which two of them paid."""

from __future__ import annotations

from connectors.columns import Row

# By the market supervision's code of the document: the scheme, and a number of it.
PEOPLE = {
    "10": ("resident_number", "350299198005170113"),
    "20": ("passport", "D99999903"),
    "40": ("hk_macao_travel_permit", "H99999901"),
    "41": ("taiwan_travel_permit", "99999902"),
    "50": ("foreigner_card", "935000188505170225"),
}
CARDS = {
    "10": ("hmt_residence_permit", "810000188005170112"),
    "50": ("foreigner_card_15", "UTO350280051711"),
}
# By the insurance's own number.
PERSONS = {"1001": "350299198005170113", "1002": "350299198505170224"}


def month(
    person: str = "1001",
    due: str = "201501",
    paid_in: str | None = "201501",
    kind: str = "110",
    valid: str = "1",
    pad: str = "",
) -> Row:
    """A row of the table: one person, kind and month."""
    return {
        "AAC001": person + pad,
        "AAC002": PERSONS[person],
        "AAE140": kind,
        "AAE003": due if not pad else f"{due[:4]}-{due[4:]}",
        "AAE078": "1" if paid_in else "0",
        "AAE079": paid_in,
        "AAE100": valid,
    }
