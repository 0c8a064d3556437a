"""The `approval` command: serve, evaluate, tell; settings from one YAML file and TONGBAN_… variables."""

import argparse
from functools import partial
from pathlib import Path
from typing import NoReturn

from approval import commands
from process import running


def main() -> NoReturn:
    """Run what the command line asks for, and leave with the exit code that says how it went."""
    arguments = _parser().parse_args()
    running.main(partial(arguments.run, arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="approval", description="Which papers an approval can do without, and why.")
    parser.add_argument("--settings", type=Path, default=Path("approval.yaml"), help="settings file (approval.yaml)")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--settings", type=Path, default=argparse.SUPPRESS, help="settings file (approval.yaml)")
    commands_ = parser.add_subparsers(required=True, metavar="command")

    run = commands_.add_parser("run", parents=[shared], help="follow the registry and answer over HTTP until stopped")
    run.add_argument("--until-idle", type=float, metavar="S", help="stop once nothing has come for S seconds")
    run.set_defaults(run=commands.run)

    evaluate = commands_.add_parser("evaluate", parents=[shared], help="decide the materials of an item")
    evaluate.add_argument("item", help="item, for example food_business_licence")
    evaluate.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="ROLE=NUMBER",
        help="whom it is about, by any number; - reads it from input",
    )
    evaluate.add_argument("--at", metavar="TIME", help="as known at this earlier time, with its offset; else now")
    evaluate.add_argument("--page", type=Path, metavar="FILE.html", help="write a page for the clerk, too")
    evaluate.add_argument("--lang", choices=["zh", "en"], default="zh", help="language of text and page (zh)")
    evaluate.add_argument("--json", action="store_true", help="print canonical JSON instead of text")
    evaluate.set_defaults(run=commands.evaluate)

    status = commands_.add_parser("status", parents=[shared], help="what the view holds, and how complete it is")
    status.add_argument("--json", action="store_true", help="one line of canonical JSON")
    status.set_defaults(run=commands.status)

    audit = commands_.add_parser("audit", help="the log of all that was asked and answered")
    kinds = audit.add_subparsers(required=True, metavar="command")
    verify = kinds.add_parser("verify", parents=[shared], help="whether it is as it was written")
    verify.add_argument("--through", metavar="SEQUENCE:HASH", help="and still holds the record that was last then")
    verify.set_defaults(run=commands.verify_audit)
    return parser


if __name__ == "__main__":
    main()
