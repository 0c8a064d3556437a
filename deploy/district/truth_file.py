"""The truth as JSON lines, written while the district is made, for a checker that imports nothing of this.

Every line tells its kind in `line`:

* ``about``    the first: seed, and by subject kind the attributes a subject has one of, and those that are lists
* ``person``   a legal or natural person (`kind`), the numbers it is known by, and its true value of every attribute
* ``subject``  a subject of the registry: ``kind``, ``scheme`` and ``number`` (its key follows from them; of a person's
  number only with the district's key), and what it must show:

  * ``facts``: per attribute ``value``, ``source`` and ``row``, and where there is something to say ``raw`` (of codes),
    ``scheme`` (only the pseudonym of the value may show), ``state`` disputed | in_question (left out: known),
    ``dissent``, and ``tied`` (rows of the same rank: their ids, as they travel, decide). An attribute that is left
    out is unknown
  * ``lists``: per list its elements: ``source``, ``row``, ``parts``, ``state``, and ``dissent`` where the list has a
    key. A part is a text, or an object with ``value`` and ``raw`` of a code, ``value`` and ``scheme`` of a number that
    shows as a pseudonym, or ``subject``, whose key it must be
  * ``rows``: per source its live rows, and how often each stands there (0: counted with another subject)
* ``row``      a row that is not live: source, row, ``times``, subject, ``outcome`` refused | deleted | in_question
  (refused as it is, its last word still counts: also among its subject's rows) and ``reason``
* ``planted``  a planted difference: ``kind``, source, row, subject, attribute, ``outcome`` and ``reason``
* ``end``      the last: how many lines there are of each kind
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import IO

from deploy.district.rows import Parts, Row, Said, Subject
from deploy.district.sample import District
from deploy.district.truth import LISTS, TIERS, About, Fact, Listed, Planted, Truth, truth_of

Line = dict[str, object]


class TruthFile:
    """The lines of a district that comes block by block."""

    def __init__(self, file: IO[str], seed: int) -> None:
        self._file = file
        self._counts = Counter[str]()
        attributes = {kind: list(tiers) for kind, tiers in TIERS.items()}
        self._write({"line": "about", "seed": seed, "attributes": attributes, "lists": LISTS})

    def add(self, block: District) -> Truth:
        """Write what must be shown of the block, and give it back."""
        told = truth_of(block)
        for line in _body(block, told):
            self._write(line)
        return told

    def end(self) -> None:
        """Without this the truth is not whole."""
        self._write({"line": "end", "counts": dict(sorted(self._counts.items()))})

    def _write(self, line: Line) -> None:
        self._counts[str(line["line"])] += 1
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def write(district: District, file: IO[str]) -> Truth:
    """The truth of a district that is there as a whole."""
    written = TruthFile(file, district.seed)
    told = written.add(district)
    written.end()
    return told


def _body(block: District, told: Truth) -> Iterator[Line]:
    yield from _person_lines(block)
    for subject, about in told.subjects.items():
        yield _subject_line(subject, about)
    for row in told.rows:
        if row.outcome != "live":
            yield _row_line(row)
    for plant in told.planted:
        yield _planted_line(plant)


def _person_lines(block: District) -> Iterator[Line]:
    for number, legal in block.persons.items():
        numbers = [legal.credit_code, legal.registration_number, legal.taxpayer_number]
        yield {"line": "person", "kind": "legal_person", "person": number, "departments": legal.departments,
               "numbers": numbers, "successor": legal.successor, "truth": legal.truth()}  # fmt: skip
    for number, person in block.people.items():
        yield {"line": "person", "kind": "natural_person", "person": number, "standing": person.standing,
               "numbers": [person.document], "truth": person.truth()}  # fmt: skip


def _subject_line(subject: Subject, about: About) -> Line:
    facts = {name: _fact(fact) for name, fact in about.facts.items() if fact.state != "unknown"}
    lists = {name: [_listed(element) for element in elements] for name, elements in about.lists.items()}
    return {"line": "subject", **_named(subject), "facts": facts, "lists": lists, "rows": about.rows}


def _fact(fact: Fact) -> Line:
    line: Line = {"value": fact.value, "source": fact.source, "row": fact.row}
    if fact.state != "known":
        line["state"] = fact.state
    if fact.raw is not None:
        line["raw"] = fact.raw
    if fact.scheme is not None:
        line["scheme"] = fact.scheme
    if fact.dissent:
        line["dissent"] = [asdict(dissent) for dissent in fact.dissent]
    if fact.tied:
        line["tied"] = [asdict(tied) for tied in fact.tied]
    return line


def _listed(element: Listed) -> Line:
    line: Line = {"source": element.source, "row": element.row, "parts": _parts(element.parts)}
    if element.state != "known":
        line["state"] = element.state
    if element.others:
        line["dissent"] = [_listed(other) for other in element.others]
    return line


def _parts(parts: Parts) -> Mapping[str, object]:
    return {name: _part(part) for name, part in parts.items()}


def _part(part: Said | Subject) -> object:
    if isinstance(part, Subject):
        return {"subject": _named(part)}
    if part.scheme is not None:
        return {"value": part.value, "scheme": part.scheme}
    return part.value if part.raw is None else {"value": part.value, "raw": part.raw}


def _row_line(row: Row) -> Line:
    return {"line": "row", "source": row.source, "row": row.record_id, "times": row.times,
            "subject": _named(row.subject), "outcome": row.outcome, "reason": row.reason}  # fmt: skip


def _planted_line(plant: Planted) -> Line:
    return {"line": "planted", "kind": plant.kind, "source": plant.source, "row": plant.row,
            "subject": _named(plant.subject), "attribute": plant.attribute,
            "outcome": plant.outcome, "reason": plant.reason}  # fmt: skip


def _named(subject: Subject) -> Line:
    return {"kind": subject.kind, "scheme": subject.scheme, "number": subject.value}
