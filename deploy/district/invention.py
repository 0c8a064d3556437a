"""Names and addresses drawn from the vocabulary: nobody's, and nowhere."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from deploy.district.vocabulary import BRANDS, GIVEN, HERE, SPECIMEN, STREETS, SURNAMES, TRADES


def place(random: Random, area: str = HERE) -> str:
    street, house, room = random.choice(STREETS), random.randint(1, 980), random.randint(101, 1905)
    return f"{area}{street}{house}号{room}室"


def human_name(random: Random, surname: str | None = None) -> str:
    return SPECIMEN + (surname or random.choice(SURNAMES)) + "".join(random.sample(GIVEN, random.choice((1, 2, 2))))


def company_name(random: Random) -> str:
    return f"{SPECIMEN}{''.join(random.sample(BRANDS, 3))}新{random.choice(TRADES).word}有限公司"


def another(truth: str, make: Callable[[Random], str], random: Random) -> str:
    """A value of the same kind that is surely not the true one."""
    while (value := make(random)) == truth:
        pass
    return value
