"""The command that makes a sample district, and can change it: ``python -m deploy.district``.

Make one:    ``--seed 7 --persons 2000 --market sqlite:///m.db --tax sqlite:///t.db --truth truth.json``
Change it:   the same and ``--churn 50 --churn-seed 1``: written, then changed; the truth is that of afterwards
Revoke:      ``--market sqlite:///m.db --revoke 91350299XXDEM00151 --on 2024-03-01``
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from deploy.district import changes, databases, truth
from deploy.district.persons import MARKET, TAX
from deploy.district.sample import District, generate


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.revoke:
        changed = databases.revoke(arguments.market, arguments.revoke, arguments.on)
        print(f"{changed} row(s) revoked / 吊销 {changed} 行")
        return 0 if changed else 4
    if not arguments.tax:
        _parser().error("--tax is missing: the URL of the tax office's database")
    _make(arguments)
    return 0


def _make(arguments: argparse.Namespace) -> None:
    urls = {MARKET: arguments.market, TAX: arguments.tax}
    district = generate(arguments.seed, arguments.persons)
    databases.write(district, urls)
    if arguments.churn:
        district, made = changes.churn(district, arguments.churn_seed, arguments.churn)
        databases.apply(made, urls)
    if arguments.truth:
        with arguments.truth.open("w", encoding="utf-8") as file:
            truth.write(district, file)
    print(_summary(district))


def _summary(district: District) -> str:
    told = truth.truth_of(district)
    outcomes = Counter((row.department, row.outcome) for row in told.rows)
    counts = ", ".join(f"{department} {outcome} {count}" for (department, outcome), count in sorted(outcomes.items()))
    known = f"{len(district.persons)} legal persons, {len(told.facts)} subjects, {len(told.planted)} planted"
    return f"{known}; rows: {counts}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.district", description="Make a synthetic sample district.")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same district")
    parser.add_argument("--persons", type=int, default=2_000, help="how many legal persons")
    parser.add_argument("--market", required=True, help="SQLAlchemy URL of market supervision's database")
    parser.add_argument("--tax", help="SQLAlchemy URL of the tax office's database")
    parser.add_argument("--truth", type=Path, help="where to write the truth, as JSON lines")
    parser.add_argument("--churn", type=int, default=0, help="change about so many rows after writing")
    parser.add_argument("--churn-seed", type=int, default=1)
    parser.add_argument("--revoke", metavar="CREDIT_CODE", help="only revoke this licence in --market")
    parser.add_argument("--on", type=date.fromisoformat, default=date(2024, 3, 1), help="day of the revocation")
    return parser


if __name__ == "__main__":
    sys.exit(main())
