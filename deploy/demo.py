"""The demo: a synthetic district, a real broker, every process, and what a clerk would see.

    python -m deploy.demo            what `make demo` runs; exits when it has shown everything

Everything lies in one temporary folder and is gone afterwards; `--keep FOLDER` leaves it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from deploy.district import databases, sample
from deploy.installation import Installation, running, until
from exchange.control import civil_day
from transport.broker import Broker, find

APPLICANT = "91350299XXDEM00151"
ITEM = "food_business_licence"
SEED = 7
SOURCES = {"market_supervision": "market_supervision.enterprise", "local_tax": "local_tax.taxpayer"}


def main() -> None:
    """Run the demo."""
    arguments = _parser().parse_args()
    with ExitStack() as stack:
        folder = arguments.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tongban-demo-")))
        demo = _Demo(folder.absolute(), arguments.persons)
        broker = find()
        stack.callback(broker.stop)
        demo.tell("broker", f"Kafka at {broker.bootstrap}")
        demo.run(broker, stack)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description="Shows a whole district at work, on synthetic data.")
    parser.add_argument("--persons", type=int, default=2000, help="legal persons in the district")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave databases, settings, logs and page here")
    return parser


class _Demo:
    def __init__(self, folder: Path, persons: int) -> None:
        self._folder = folder
        self._persons = persons
        self._began = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        self._environ = {
            "MARKET_URL": f"sqlite:///{folder}/market_supervision.db",
            "TAX_URL": f"sqlite:///{folder}/local_tax.db",
        }
        self._urls = {name: f"sqlite:///{folder / name}.db" for name in SOURCES}

    def run(self, broker: Broker, stack: ExitStack) -> None:
        """Every step, told as it is done."""
        there = Installation(self._folder, broker.bootstrap, prefix=f"demo{int(time.time())}.", environ=self._environ)
        stack.enter_context(running(there))
        self._district()
        there.write()
        self.tell("topics", there.apply_topics().strip())
        there.start_exchange()
        there.start_reader()
        counts = self._first_cycles(there)
        self._wait_until_counted(there)
        self._sources(there, counts)
        self._conflicts(there)
        self._decide(there)
        self._revoke(there)
        self.tell("memory", f"{_resident_mib(there)} MiB in {len(there.processes)} processes, the broker not counted")
        self.tell("done", f"in {time.monotonic() - self._began:.0f} s")

    def tell(self, what: str, text: str) -> None:
        """One line of the story, with the time it happened at."""
        first, *rest = text.splitlines() or [""]
        print(f"[{time.monotonic() - self._began:5.1f} s] {what:<11} {first}")
        for line in rest:
            print(f"{'':22}{line}")
        sys.stdout.flush()

    def _district(self) -> None:
        district = sample.generate(SEED, self._persons)
        databases.write(district, self._urls)
        rows = Counter(row.department for row in district.rows)
        told = ", ".join(f"{count:,} rows at {department}" for department, count in sorted(rows.items()))
        self.tell("district", f"{self._persons:,} synthetic legal persons: {told}")

    def _first_cycles(self, there: Installation) -> dict[str, dict[str, Any]]:
        with ThreadPoolExecutor() as pool:
            counts = dict(zip(SOURCES, pool.map(there.connect_once, SOURCES.values()), strict=True))
        self.tell("connectors", "first cycle of both sources published")
        for source in SOURCES.values():
            there.start_connector(source)
        return counts

    def _wait_until_counted(self, there: Installation) -> None:
        def counted() -> bool:
            status = there.status()
            return len(status) == len(SOURCES) and all(s["balanced"] and s["complete_until"] for s in status.values())

        if not until(counted, 60):
            raise SystemExit(f"the exchange did not catch up; see {self._folder / 'logs'}")

    def _sources(self, there: Installation, counts: Mapping[str, Mapping[str, Any]]) -> None:
        status = there.status()
        for department, source in SOURCES.items():
            run, now = counts[department], status[source]
            balanced = run["read"] == run["sent"] + run["unchanged"] + run["refused"]
            told = "read = sent + unchanged + refused" if balanced else "OUT OF BALANCE"
            self.tell("source", f"{source}: read {run['read']}, sent {run['sent']}, unchanged {run['unchanged']}, "
                      f"refused {run['refused']} {_reasons(run['refused_by_reason'])}\n{told}\n"
                      f"at source {now['rows_at_source']} = live {now['live']} + refused {now['refused']} "
                      f"+ missing {now['missing']} - extra {now['extra']}")  # fmt: skip

    def _conflicts(self, there: Installation) -> None:
        entries = there.dump()
        found = Counter((c["attribute"], c["kind"]) for entry in entries.values() for c in entry["conflicts"])
        told = "\n".join(f"{count:>5}  {attribute} ({kind})" for (attribute, kind), count in sorted(found.items()))
        self.tell("registry", f"{len(entries):,} subjects, {sum(found.values())} conflicts found:\n{told}")

    # --- the applicant -----------------------------------------------------------------------------------------------
    def _decide(self, there: Installation) -> None:
        if not until(lambda: _verdict(there)["verdict"] == "proved", 60):
            raise SystemExit(f"the applicant's licence was not proved: {_verdict(there)}")
        self.tell("applicant", self._evaluated(there))

    def _revoke(self, there: Installation) -> None:
        began = time.monotonic()
        databases.revoke(self._urls["market_supervision"], APPLICANT, civil_day())
        if not until(lambda: _verdict(there)["verdict"] == "disproved", 60):
            raise SystemExit(f"the revoked licence still stands: {_verdict(there)}")
        took = time.monotonic() - began
        self.tell("revoked", f"at the source; the verdict changed {took:.1f} s later:\n{self._evaluated(there)}")

    def _evaluated(self, there: Installation) -> str:
        page = self._folder / "page.html"
        text = there.run("approval", "evaluate", ITEM, "--subject", f"applicant={APPLICANT}", "--page", str(page))
        return text.strip()


def _verdict(there: Installation) -> dict[str, Any]:
    """The verdict on the business licence."""
    told = there.run("approval", "evaluate", ITEM, "--subject", f"applicant={APPLICANT}", "--json")
    materials: list[dict[str, Any]] = json.loads(told)["materials"]
    return next(material for material in materials if material["id"] == "business_licence")


def _reasons(reasons: Mapping[str, int]) -> str:
    return "(" + ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) + ")" if reasons else ""


def _resident_mib(there: Installation) -> int:
    pages = [Path(f"/proc/{process.pid}/statm") for process in there.processes]
    return sum(int(page.read_text().split()[1]) for page in pages if page.exists()) * 4 // 1024


if __name__ == "__main__":
    main()
