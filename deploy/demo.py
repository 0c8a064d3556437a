"""The demo: a synthetic district of five departments, a real broker, every process, and what a clerk would see.

    python -m deploy.demo            what `make demo` runs; exits when it has shown everything
    python -m deploy.demo --serve    what `make serve` runs; shows the same and stays until it is stopped

Everything lies in one temporary folder and is gone afterwards; `--keep FOLDER` leaves it.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from deploy.district import databases, delivery, named, sample
from deploy.district.delivery import Places
from deploy.district.drops import SHANGHAI
from deploy.district.named_people import CHILD, ENDORSED, PARENT
from deploy.district.sources import LOCAL_TAX, MARKET, POLICE, SOCIAL, SOURCES, STATE_TAX
from deploy.installation import Installation, Process, running, until
from exchange.control import civil_day
from transport.broker import Broker, find

SEED = 7


class Applicant(NamedTuple):
    """Who applies for what, and the material that facts decide."""

    item: str
    subjects: Mapping[str, str]
    decided: str

    @property
    def arguments(self) -> list[str]:
        """The question as `approval evaluate` takes it."""
        return [self.item, *(word for role, n in self.subjects.items() for word in ("--subject", f"{role}={n}"))]


FOOD = Applicant("food_business_licence", {"applicant": named.CLEAN_FOOD_COMPANY}, "business_licence")
SCHOOL = Applicant("primary_school_points", {"parent": PARENT.document, "child": CHILD.document}, "residence_permit")
PERMIT = Applicant("residence_permit_endorsement", {"applicant": ENDORSED.document}, "half_year_residence")


def main() -> None:
    """Run the demo."""
    arguments = _parser().parse_args()
    with ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongban-demo-")))
        demo = _Demo(folder.absolute(), arguments.persons)
        broker = find()
        stack.callback(broker.stop)
        demo.tell("broker", f"Kafka at {broker.bootstrap}")
        there = demo.run(broker, stack)
        if arguments.serve:
            demo.serve(there)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description="Shows a whole district at work, on synthetic data.")
    parser.add_argument("--persons", type=int, default=2000, help="people in the district; a tenth as many companies")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave databases, files, settings, logs, page here")
    parser.add_argument("--serve", action="store_true", help="stay until stopped, with pages on this machine")
    return parser


class _Demo:
    def __init__(self, folder: Path, persons: int) -> None:
        self._folder = folder
        self._persons = persons
        self._began = time.monotonic()
        self._places = Places.below(folder)
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, broker: Broker, stack: ExitStack) -> Installation:
        """Every step, told as it is done."""
        prefix = f"demo{int(time.time())}."
        there = Installation(self._folder, broker.bootstrap, prefix, environ=_environ(self._places), poll_seconds=3.0)
        # All of it is synthetic: whoever asks on this machine may see it.
        there.approval = {"default_grant": "sensitive"}
        stack.enter_context(running(there))
        self._district()
        there.write()
        self.tell("topics", there.apply_topics().strip())
        there.start_exchange("exchange", "--all")
        there.start_reader()
        connectors = {name: there.start_connector(name) for name in SOURCES}
        self._wait_until_counted(there)
        self._sources(there, connectors)
        self._conflicts(there)
        for applicant in (FOOD, SCHOOL, PERMIT):
            self._decide(there, applicant)
        self._revoke(there)
        self.tell("memory", f"{_resident_mib(there)} MiB in {len(there.processes)} processes, the broker not counted")
        self.tell("done", f"in {time.monotonic() - self._began:.0f} s")
        return there

    def serve(self, there: Installation) -> None:
        """Leave everything running until somebody stops it."""
        asked_to_stop = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked_to_stop.set())
        said = {
            line["event"]: line for p in there.processes if p.name == "approval" for line in p.said() if "event" in line
        }
        questions, metrics = said["approval.answering"]["port"], said["approval.started"]["port"]
        self.tell(
            "serving",
            f"questions: http://127.0.0.1:{questions}/   OpenAPI: http://127.0.0.1:{questions}/openapi.json\n"
            f"metrics: http://127.0.0.1:{metrics}/metrics   folder: {self._folder}\n"
            f"Ctrl-C stops it / 按 Ctrl-C 结束",
        )
        asked_to_stop.wait()

    def tell(self, what: str, text: str) -> None:
        """One line of the story, with the time it happened at."""
        first, *rest = text.splitlines() or [""]
        print(f"[{time.monotonic() - self._began:5.1f} s] {what:<11} {first}")
        for line in rest:
            print(f"{'':22}{line}")
        sys.stdout.flush()

    def _district(self) -> None:
        blocks = sample.blocks(SEED, self._persons, civil_day())
        counts = delivery.deliver(blocks, self._places, datetime.now(SHANGHAI) - timedelta(minutes=1))
        rows = sum(counts.rows.values())
        told = f"{counts.people:,} synthetic people and {counts.legal:,} legal persons, {rows:,} rows"
        self.tell("district", f"{told} in {len(counts.rows)} tables and file families of five departments")

    def _wait_until_counted(self, there: Installation) -> None:
        def counted() -> bool:
            status = there.status()
            return len(status) == len(SOURCES) and all(s["balanced"] and s["complete_until"] for s in status.values())

        if not until(counted, 240):
            raise SystemExit(f"the exchange did not catch up; see {self._folder / 'logs'}")

    def _sources(self, there: Installation, connectors: Mapping[str, Process]) -> None:
        status = there.status()
        for source, connector in connectors.items():
            run = next(line for line in connector.said() if "read" in line and line.get("source") == source)
            now = status[source]
            balanced = run["read"] == run["sent"] + run["unchanged"] + run["refused"]
            told = "read = sent + unchanged + refused" if balanced else "OUT OF BALANCE"
            self.tell("source", f"{source}: read {run['read']}, sent {run['sent']}, unchanged {run['unchanged']}, "
                      f"refused {run['refused']} {_reasons(run['refused_by_reason'])}\n{told}; "
                      f"at source {now['rows_at_source']} = live {now['live']} + refused {now['refused']} "
                      f"+ missing {now['missing']} - extra {now['extra']}")  # fmt: skip

    def _conflicts(self, there: Installation) -> None:
        entries = there.dump()
        found = Counter((c["attribute"], c["kind"]) for entry in entries.values() for c in entry["conflicts"])
        told = "\n".join(f"{count:>5}  {attribute} ({kind})" for (attribute, kind), count in sorted(found.items()))
        self.tell("registry", f"{len(entries):,} subjects, {sum(found.values())} conflicts found:\n{told}")

    # --- the applicants ----------------------------------------------------------------------------------------------
    def _decide(self, there: Installation, applicant: Applicant) -> None:
        if not until(lambda: _verdict(there, applicant) == "proved", 60):
            raise SystemExit(f"{applicant.item}: {applicant.decided} is {_verdict(there, applicant)}, not proved")
        self.tell("applicant", self._evaluated(there, applicant))

    def _revoke(self, there: Installation) -> None:
        began = time.monotonic()
        databases.revoke(self._places.urls[MARKET], named.CLEAN_FOOD_COMPANY, civil_day())
        if not until(lambda: _verdict(there, FOOD) == "disproved", 60):
            raise SystemExit(f"the revoked licence still stands: {_verdict(there, FOOD)}")
        took = time.monotonic() - began
        self.tell("revoked", f"at the source; the verdict changed {took:.1f} s later:\n{self._evaluated(there, FOOD)}")

    def _evaluated(self, there: Installation, applicant: Applicant) -> str:
        page = self._folder / f"{applicant.item}.html"
        return there.run("approval", "evaluate", *applicant.arguments, "--page", str(page)).strip()


def _environ(places: Places) -> dict[str, str]:
    """What the sources' files ask for."""
    return {
        "MARKET_URL": places.urls[MARKET],
        "STATE_TAX_URL": places.urls[STATE_TAX],
        "SOCIAL_URL": places.urls[SOCIAL],
        "LOCAL_TAX_FOLDER": str(places.folders[LOCAL_TAX]),
        "POLICE_FOLDER": str(places.folders[POLICE]),
    }


def _verdict(there: Installation, applicant: Applicant) -> str:
    """The verdict on the material that facts decide."""
    told = there.run("approval", "evaluate", *applicant.arguments, "--json")
    materials: list[dict[str, Any]] = json.loads(told)["materials"]
    return next(str(each["verdict"]) for each in materials if each["id"] == applicant.decided)


def _reasons(reasons: Mapping[str, int]) -> str:
    return "(" + ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) + ")" if reasons else ""


def _resident_mib(there: Installation) -> int:
    pages = [Path(f"/proc/{process.pid}/statm") for process in there.processes]
    return sum(int(page.read_text().split()[1]) for page in pages if page.exists()) * 4 // 1024


if __name__ == "__main__":
    main()
