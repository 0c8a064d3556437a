"""The natural persons of the sample district as they truly are: who lives with whom, since when, and how it ended.

Four ways to stand in the district's books: `resident` (household here), `province` (household elsewhere in the
province, lives here with a residence registration), `distant` (household where no register reaches, lives here), and
`outside` (lives elsewhere, holds an office in a company here).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal, NamedTuple

from deploy.district import synthetic, vocabulary
from deploy.district.invention import human_name, place

Standing = Literal["resident", "province", "distant", "outside"]
HOME_DIVISION, OTHER_DIVISION = "350299", "350298"
ADULT = 18
YEAR = 365.25


class Household(NamedTuple):
    """Who shares a register of the police, where."""

    number: str
    address: str
    division: str


@dataclass(frozen=True, slots=True)
class NaturalPerson:
    """What is true of one natural person."""

    number: int
    name: str
    sex: str
    born: date
    document: str
    ethnicity: str
    standing: Standing
    household: Household
    relation: str
    family: int
    """Who lives together, here, has the same."""
    state: str = "ACTIVE"
    ended_on: date | None = None

    @property
    def register_id(self) -> str:
        return f"RK{self.number:010d}"

    @property
    def social_number(self) -> str:
        return f"35{self.number:08d}"

    @property
    def is_registered(self) -> bool:
        """Whether the police hold a row of the household register on it."""
        return self.standing in {"resident", "province"}

    @property
    def lives_here_from_elsewhere(self) -> bool:
        return self.standing in {"province", "distant"}

    def age(self, on: date) -> int:
        return int((on - self.born).days / YEAR)

    def truth(self) -> dict[str, str]:
        """Its true value of every attribute of which a person has one."""
        told = {
            "name": self.name,
            "sex": self.sex,
            "birth_date": self.born.isoformat(),
            "ethnicity": self.ethnicity,
            "register_status": self.state,
            "household_address": self.household.address,
            "household_division": self.household.division,
            "household_number": self.household.number,
            "household_relation": self.relation,
        }
        if self.state == "DECEASED" and self.ended_on:
            told["death_date"] = self.ended_on.isoformat()
        return told


class Numbers:
    """Resident numbers of one block: no two blocks of 496 x 3 give the same, nor one block the same twice.

    A block owns one sequence for men and one for women, and of three days one; who would be born on a day that is
    taken was born three days before.
    """

    def __init__(self, block: int) -> None:
        self._men = block % 496 * 2 + 1
        self._day = block // 496
        if self._day > 2:
            raise ValueError("a district has at most 1,488 blocks")
        self._taken: set[tuple[str, int]] = set()

    def born(self, about: date, sex: str) -> date:
        day = about.toordinal()
        day -= (day - self._day) % 3
        while (sex, day) in self._taken:
            day -= 3
        self._taken.add((sex, day))
        return date.fromordinal(day)

    def document(self, born: date, sex: str) -> str:
        return synthetic.resident_number(born, self._men + (sex == "FEMALE"))


class _Member(NamedTuple):
    relation: str
    sex: str
    age: float
    surname: str | None


def families(random: Random, numbers: Numbers, first: int, count: int, today: date) -> Iterator[NaturalPerson]:
    """`count` people, numbered from `first` on, family after family."""
    number, last = first, first + count
    while number < last:
        family = number
        standing: Standing = random.choices(("resident", "province", "distant", "outside"), (62, 17, 16, 5))[0]
        household = _household(random, family, standing)
        surname = random.choice(vocabulary.SURNAMES)
        ethnicity = random.choices(("01", "22", "23", "03"), (960, 25, 5, 10))[0]
        for member in _members(random, surname, alone=standing == "outside"):
            if number == last:
                return
            born = numbers.born(today - timedelta(days=int(member.age * YEAR)), member.sex)
            yield _ended(random, today, NaturalPerson(
                number, human_name(random, member.surname), member.sex, born, numbers.document(born, member.sex),
                ethnicity, standing, household, member.relation, family,
            ))  # fmt: skip
            number += 1


def _household(random: Random, family: int, standing: Standing) -> Household:
    here = standing == "resident"
    division = f"{HOME_DIVISION}{random.randint(1, 4):03d}" if here else OTHER_DIVISION
    return Household(f"HH{family:010d}", place(random, vocabulary.HERE if here else vocabulary.ELSEWHERE), division)


def _members(random: Random, surname: str, *, alone: bool) -> Iterator[_Member]:
    """A household by the relations of GB/T 4761: head, spouse, sons and daughters, father and mother."""
    age = random.triangular(21, 82, 40)
    sex = random.choice(("MALE", "MALE", "FEMALE"))
    yield _Member("01", sex, age, surname)
    if alone or random.random() < 0.18:
        return
    other = "FEMALE" if sex == "MALE" else "MALE"
    younger = age - 22 - random.random() * 4
    if random.random() < 0.85:
        yield _Member("10", other, max(20.5, age + random.uniform(-5, 4)), None)
        for _ in range(random.choices((0, 1, 2, 3), (18, 45, 30, 7))[0]):
            if younger < 0:
                break
            child = random.choice(("MALE", "FEMALE"))
            yield _Member("20" if child == "MALE" else "30", child, younger, surname)
            younger -= random.uniform(1.5, 6)
    if age < 62 and random.random() < 0.16:
        yield _Member("51", "MALE", age + random.uniform(22, 32), surname)
    if age < 62 and random.random() < 0.2:
        yield _Member("52", "FEMALE", age + random.uniform(21, 30), None)


def _ended(random: Random, today: date, person: NaturalPerson) -> NaturalPerson:
    """Some have died, moved away, or were struck off the register for another reason, in the last ten years."""
    if person.standing != "resident":
        return person
    old = person.age(today) > 66
    state = random.choices(
        ("ACTIVE", "DECEASED", "MOVED_OUT", "CANCELLED"), (86, 12, 2, 0.3) if old else (96.7, 0.5, 2.5, 0.3)
    )[0]
    if state == "ACTIVE":
        return person
    days = (today - max(person.born, today - timedelta(days=3650))).days
    ended = today - timedelta(days=random.randrange(max(1, min(days, 3600))))
    return NaturalPerson(
        person.number, person.name, person.sex, person.born, person.document, person.ethnicity, person.standing,
        person.household, person.relation, person.family, state, ended,
    )  # fmt: skip
