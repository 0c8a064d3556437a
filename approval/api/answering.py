"""Answering: a question decided, cut to what its asker may see, written down, and only then told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from approval.answer import Answer, answer
from approval.api.problems import Problem
from approval.api.question import Question
from approval.audit import AuditError, AuditLog
from approval.evaluation import Evaluation, Register, evaluate
from approval.grants import Labels, Sensitivity, granted
from approval.items import COUNT, Item
from approval.lookup import ErasedError, UnreadableNumberError
from process.logs import error

AUDITED: Final = "subject key in the audit log"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the program, and how much it may see."""

    caller: str
    grant: Sensitivity


@dataclass(frozen=True, slots=True)
class Desk:
    """All that answering needs."""

    register: Register
    items: Mapping[str, Item]
    labels: Mapping[str, Labels]
    audit: AuditLog
    now: Callable[[], datetime]

    def answer(self, question: Question, asker: Asker) -> Answer:
        """What `approval evaluate` would say, as far as the asker may see it; it is in the audit log by then."""
        item = self.item(question.item, HTTPStatus.UNPROCESSABLE_ENTITY)
        numbers = question.for_item(item)
        try:
            evaluation = evaluate(self.register, item, numbers, question.at, self.now)
        except UnreadableNumberError as exc:
            self._write_down(question, asker, item, {"outcome": "unreadable_number"})
            field = f"subjects.{exc.role}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "unreadable_number", field) from None
        except ErasedError:
            self._write_down(question, asker, item, {"outcome": "erased"})
            raise Problem(HTTPStatus.GONE, "erased") from None
        except SQLAlchemyError as exc:
            error("approval.view_unreadable", error=type(exc).__name__)
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "no_view") from exc
        if evaluation.seen.installation is None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "no_view")
        shown = granted(evaluation, asker.grant, self.labels)
        told = answer(shown.item, shown.subjects, shown.decisions, shown.at, shown.others)
        self._write_down(question, asker, item, {"outcome": "answered", **self._told(evaluation, told)})
        return told

    def item(self, name: str, status: HTTPStatus = HTTPStatus.NOT_FOUND) -> Item:
        """The item of that name."""
        if name not in self.items:
            raise Problem(status, "unknown_item", "item", known=", ".join(self.items))
        return self.items[name]

    def can_write_down(self) -> bool:
        """Whether answers can be written down; after a failure that is tried with a record of its own."""
        if not self.audit.writable:
            try:
                self.audit.append({"time": self.now(), "outcome": "writable_again"})
            except AuditError:
                return False
        return True

    def _write_down(self, question: Question, asker: Asker, item: Item, outcome: Mapping[str, Any]) -> None:
        asked = {
            "time": self.now(),
            "caller": asker.caller,
            "grant": asker.grant,
            "operator": question.operator,
            "case_number": question.case_number,
            "purpose": question.purpose,
            "item": {"id": item.id, "version": item.version},
            "asked_at": question.at,
        }
        try:
            self.audit.append({**asked, **outcome})
        except AuditError as exc:
            error("approval.audit_failed", reason=str(exc).partition("\n")[0])
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not_audited") from exc

    def _told(self, evaluation: Evaluation, told: Answer) -> Mapping[str, Any]:
        """Of whom was told what, and from which state of the registry; subjects by a keyed hash of their key."""
        return {
            "subjects": {role: self._hashed(each.subject) for role, each in evaluation.subjects.items()},
            "disclosed": _disclosed(evaluation.item, told),
            "decisions": {each.material.id: each.verdict for each in evaluation.decisions},
            "as_of": evaluation.at,
            "installation": evaluation.seen.installation,
            "caught_up": evaluation.seen.caught_up,
            "offsets": evaluation.seen.offsets,
        }

    def _hashed(self, subject: str | None) -> str | None:
        # A legal person's key holds its number: what is written down for years does not.
        return None if subject is None else self.register.key.pseudonym(AUDITED, subject)


def _disclosed(item: Item, told: Answer) -> Mapping[str, list[str]]:
    """What is told by value, by role: attributes, parts of lists' elements, and counts."""
    disclosed: dict[str, set[str]] = {role: set() for role in item.subjects}
    for decided in told["materials"]:
        for fact in decided["facts"]:
            disclosed.setdefault(fact["role"], set()).update(_names_told(fact))
    for role, subject in told["subjects"].items():
        disclosed[role].update({"name"} if subject["name"] is not None else ())
    return {role: sorted(names) for role, names in disclosed.items()}


def _names_told(fact: Answer) -> Iterator[str]:
    attribute = fact["attribute"]
    if fact["disclosed"] and (fact["value"] or fact["dissent"]):
        yield attribute
    if fact["counts"]:
        yield f"{attribute}.{COUNT}"
    for element in fact["elements"]:
        for told in (element, *element["dissent"]):
            yield from (f"{attribute}.{part['part']}" for part in told["parts"] if part["value"] is not None)
