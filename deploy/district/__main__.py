"""The command that makes a whole sample district, and can change it: ``python -m deploy.district``.

Make one:    ``--seed 7 --persons 5000 --out FOLDER``: databases, dropped files, ``truth.jsonl``
Change it:   the same and ``--churn 50 --churn-seed 1``: delivered, then changed; the truth is that of afterwards
Revoke:      ``--market sqlite:///FOLDER/market_supervision.db --revoke 91350299XXDEM00151 --on 2024-07-01``
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path

from deploy.district import changes, databases, delivery, people_changes, sample
from deploy.district.delivery import Counts, Places
from deploy.district.drops import SHANGHAI
from deploy.district.sources import IN_DATABASES, MARKET, SOCIAL, STATE_TAX
from deploy.district.truth_file import TruthFile

_DELIVERED_AT = clock(2, 0)


def main() -> int:
    """Do what the arguments say; the exit code."""
    parser = _parser()
    arguments = parser.parse_args()
    if arguments.revoke:
        if not arguments.market:
            parser.error("--market is missing: the URL of market supervision's database")
        changed = databases.revoke(arguments.market, arguments.revoke, arguments.on or arguments.today)
        print(f"{changed} row(s) revoked / 吊销 {changed} 行")
        return 0 if changed else 4
    if not arguments.out:
        parser.error("--out is missing: the folder for databases, files and truth")
    # Rows refer to nothing that refers back: looking for cycles among them takes a fifth of the time and finds none.
    gc.set_threshold(2_000_000)
    _make(arguments)
    return 0


def _make(arguments: argparse.Namespace) -> None:
    arguments.out.mkdir(parents=True, exist_ok=True)
    below = Places.below(arguments.out)
    given = {MARKET: arguments.market, STATE_TAX: arguments.state_tax, SOCIAL: arguments.social}
    places = Places({name: given[name] or below.urls[name] for name in IN_DATABASES}, below.folders)
    at = datetime.combine(arguments.today, _DELIVERED_AT, SHANGHAI)
    progress = _progress(arguments.persons)
    with (arguments.out / "truth.jsonl").open("w", encoding="utf-8") as file:
        truth = TruthFile(file, arguments.seed)
        if arguments.churn:
            counts = _changed(arguments, places, at, truth)
        else:
            made = sample.blocks(arguments.seed, arguments.persons, arguments.today)
            counts = delivery.deliver(made, places, at, truth, progress)
        truth.end()
    print(_summary(counts))


def _changed(arguments: argparse.Namespace, places: Places, at: datetime, truth: TruthFile) -> Counts:
    """A district that is delivered, changed, and delivered again the next day; it stays in memory meanwhile."""
    district = sample.whole(arguments.seed, arguments.persons, arguments.today)
    counts = delivery.deliver([district], places, at)
    district, of_companies = changes.churn(district, arguments.churn_seed, arguments.churn)
    on = arguments.today + timedelta(days=1)
    district, of_people = people_changes.churn(district, arguments.churn_seed, arguments.churn, on)
    delivery.apply(district, [*of_companies, *of_people], places, at + timedelta(days=1))
    truth.add(district)
    return counts


def _progress(people: int) -> Callable[[Counts], None]:
    """Tells on stderr how far it is, at most every other second."""
    began = told = time.monotonic()

    def tell(counts: Counts) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= 2 or counts.people >= people:
            told = now
            share = counts.people / people
            print(f"\r{counts.people:,} of {people:,} people ({share:.0%}), {sum(counts.rows.values()):,} rows, "
                  f"{now - began:.0f} s", end="", file=sys.stderr, flush=True)  # fmt: skip
        if counts.people >= people:
            print(file=sys.stderr)

    return tell


def _summary(counts: Counts) -> str:
    rows = "".join(f"\n{count:>12,}  {source}" for source, count in sorted(counts.rows.items()))
    return f"{counts.people:,} people, {counts.legal:,} legal persons, {sum(counts.planted.values()):,} planted{rows}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.district", description="Make a synthetic sample district.")
    parser.add_argument("--seed", type=int, default=7, help="same seed and day, same district")
    parser.add_argument("--persons", type=int, default=5_000, help="how many people; a tenth as many legal persons")
    parser.add_argument("--today", type=date.fromisoformat, default=sample.TODAY, help="the day it is of")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where databases, dropped files and truth go")
    parser.add_argument(
        "--market", metavar="URL", help="market supervision's database, where it is not SQLite in --out"
    )
    parser.add_argument("--state-tax", metavar="URL", help="the state tax office's database, likewise")
    parser.add_argument("--social", metavar="URL", help="social security's database, likewise")
    parser.add_argument(
        "--churn", type=int, default=0, help="change about so many rows of companies and as many of people"
    )
    parser.add_argument("--churn-seed", type=int, default=1)
    parser.add_argument("--revoke", metavar="CREDIT_CODE", help="only revoke this licence in --market")
    parser.add_argument("--on", type=date.fromisoformat, help="day of the revocation")
    return parser


if __name__ == "__main__":
    sys.exit(main())
