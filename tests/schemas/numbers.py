"""Official numbers that are right by the letter of their standards, and nobody's: division 350299 is in no edition.

Cards that have no division are given impossible holders instead. Residence permits began in 2018 and the 18
digits of foreigners in 2023, when nobody born before 1900 was alive; their nationality here is 000, which no
state has. Older cards are of UTO, the Utopia of the specimens in ICAO 9303. Travel permits have a number for
life, given in rising order to fewer than thirty million people, so that none reaches 999999xx; nor do the few
passports of diplomats and officials.

Written from the congruences the standards print, not from the rules the product uses: each is a check on
the other.
"""

from __future__ import annotations

import string
from datetime import date

from hypothesis import strategies as st

DIVISION = "350299"
LETTERS_31 = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LETTERS_36 = string.digits + string.ascii_uppercase


def organisation_code(body: str) -> str:
    """GB 11714: the weighted sum with its check is a multiple of 11; X is 10."""
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(LETTERS_36.index(c) * w for c, w in zip(body, weights, strict=True))
    return body + next(sign for value, sign in enumerate("0123456789X") if (total + value) % 11 == 0)


def credit_code(kind: str, organisation: str) -> str:
    """GB 32100: powers of 3, modulo 31, the check weighs 1."""
    return credit_code_of(kind + DIVISION + organisation)


def credit_code_of(body: str) -> str:
    """Any 17 characters with the check of GB 32100."""
    total = sum(LETTERS_31.index(c) * 3**i for i, c in enumerate(body))
    return body + next(c for value, c in enumerate(LETTERS_31) if (total + value) % 31 == 0)


def pilot_code(kind: str, organisation: str) -> str | None:
    """The pilot of 2015: powers of 2, modulo 37; None where the check is 36, which has no known sign."""
    body = kind + DIVISION + organisation
    total = sum(LETTERS_36.index(c) * 2**i for i, c in enumerate(body))
    return next((body + c for value, c in enumerate(LETTERS_36) if (total + value) % 37 == 0), None)


def resident_number(birth: str, sequence: str, division: str = DIVISION) -> str:
    """GB 11643: powers of 2 from the right, modulo 11, the whole leaves 1; X is 10."""
    body = division + birth + sequence
    total = sum(int(c) * 2 ** (17 - i) for i, c in enumerate(body))
    return body + next(sign for value, sign in enumerate("0123456789X") if (total + value) % 11 == 1)


def foreigner_card(birth: str, sequence: str) -> str:
    """The form of 2023: 9, province of application, nationality in digits, and the rest as a resident's."""
    return resident_number(birth, sequence, "9" + "35" + "000")


def foreigner_card_15(birth: str, tail: str) -> str:
    """The form until 2023: nationality in letters, province and city, a short birthday, two digits."""
    return "UTO" + "3502" + birth[2:] + tail


def registration_number(sequence: str) -> str:
    """GS 15 by ISO 7064 MOD 11,10: the last digit completes the running product to 1."""
    product = 10
    for digit in DIVISION + sequence:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return DIVISION + sequence + str((11 - product) % 10)


def _digits(count: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=count, max_size=count)


def _letters(alphabet: str, count: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=count, max_size=count)


kinds = st.sampled_from(["11", "31", "51", "91", "92", "93", "A1", "G1", "J1", "N2", "Y1"])
# Eight zeros pass both checks and stand for no number; tests of placeholders say so.
organisation_codes = _letters(LETTERS_31, 8).filter(lambda body: body != "00000000").map(organisation_code)
credit_codes = st.builds(credit_code, kinds, organisation_codes)
pilot_organisations = _letters(LETTERS_36, 6).map(lambda tail: organisation_code("M0" + tail))
pilot_codes = st.builds(pilot_code, kinds, pilot_organisations).filter(bool).map(str)
births = st.dates(min_value=date(1850, 1, 1), max_value=date(2016, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))
resident_numbers = st.builds(resident_number, births, _digits(3))
# Born before 1900: nobody who could have been given one of these cards.
long_ago = st.dates(min_value=date(1800, 1, 1), max_value=date(1899, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))
hmt_addresses = st.sampled_from(["810000", "820000", "830000"])
hmt_residence_permits = st.builds(resident_number, long_ago, _digits(3), hmt_addresses)
foreigner_cards = st.builds(foreigner_card, long_ago, _digits(3))
foreigner_cards_15 = st.builds(foreigner_card_15, births, _digits(2))
permit_holders = st.integers(99999900, 99999998).map(str)
hk_macao_travel_permits = st.builds(str.__add__, st.sampled_from("HM"), permit_holders)
passports = st.builds(str.__add__, st.sampled_from("DSP"), permit_holders)
registration_numbers = _digits(8).map(registration_number)


@st.composite
def with_one_wrong(draw: st.DrawFn, numbers: st.SearchStrategy[str], alphabet: str) -> tuple[str, str]:
    """A right number, and the same with one character exchanged for another of the alphabet."""
    number = draw(numbers)
    place = draw(st.integers(0, len(number) - 1))
    other = draw(st.sampled_from([c for c in alphabet if c != number[place]]))
    return number, number[:place] + other + number[place + 1 :]
