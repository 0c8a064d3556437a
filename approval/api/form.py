"""The form: what a clerk fills in, Chinese first: one self-contained page, sent as a body and never in an address."""

from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Final

from approval.api.problems import Problem
from approval.items import Item
from approval.wording import label
from process.messages import Text

_LABELS: Final = {
    "title": Text("Which papers fall away", "材料免提交核验"),
    "other": Text("Other items", "其他事项"),
    "whom": Text("number, as on the licence or the form", "号码（统一社会信用代码、注册号等）"),
    "case_number": Text("Case number", "办件编号"),
    "purpose": Text("Purpose", "查询目的"),
    "operator": Text("Operator (staff number, no identity number)", "经办人（工号，勿填身份证号）"),
    "at": Text("As known at an earlier time (Beijing time); empty: now", "按过去某一时间核验（北京时间），不填为当前"),
    "send": Text("Check", "核验"),
    "logged": Text(
        "Every check is written to the audit log, with operator, case and purpose.",
        "每次核验均连同经办人、办件编号和目的记入审计日志。",
    ),
    "none": Text("There is no item to choose.", "没有可选择的事项。"),
}


def form(items: Mapping[str, Item], chosen: Item | None, refused: Problem | None = None) -> str:
    """The whole page; for the first item where none is chosen."""
    shown = chosen or next(iter(items.values()), None)
    template = Template(resources.files(__package__).joinpath("form.html").read_text("utf-8"))
    return template.substitute(
        title=escape(_LABELS["title"].zh),
        heading=_both(_LABELS["title"]),
        refused="" if refused is None else f'<p class="refused" role="alert">{_both(refused.text)}</p>',
        form=_both(_LABELS["none"]) if shown is None else _form(shown),
        others=_others([item for item in items.values() if item is not shown]),
    )


def _form(item: Item) -> str:
    fields = [
        *(_field(f"subjects.{role}", _of_role(role), 'maxlength="64" required') for role in item.subjects),
        _field("case_number", _LABELS["case_number"], 'maxlength="64" required'),
        _field("purpose", _LABELS["purpose"], 'minlength="2" maxlength="200" required'),
        _field("operator", _LABELS["operator"], 'maxlength="64" required'),
        _field("at", _LABELS["at"], 'type="datetime-local"'),
    ]
    return (
        f'<form method="post" action="/?item={escape(item.id)}" autocomplete="off">'
        f"<h2>{_both(Text(item.name_en, item.name_zh))}</h2>"
        f'<input type="hidden" name="item" value="{escape(item.id)}">{"".join(fields)}'
        f'<button>{escape(_LABELS["send"].zh)} <span class="second">{escape(_LABELS["send"].en)}</span></button>'
        f'<p class="second">{escape(_LABELS["logged"].zh)}<br>{escape(_LABELS["logged"].en)}</p></form>'
    )


def _of_role(role: str) -> Text:
    named, number = label("role", role), _LABELS["whom"]
    return Text(f"{named.en}: {number.en}", f"{named.zh}：{number.zh}")


def _field(name: str, text: Text, attributes: str) -> str:
    return f'<label>{_both(text)}<input name="{escape(name)}" {attributes}></label>'


def _others(items: list[Item]) -> str:
    links = [
        f'<li><a href="/?item={escape(each.id)}">{_both(Text(each.name_en, each.name_zh))}</a></li>' for each in items
    ]
    return f"<h2>{_both(_LABELS['other'])}</h2><ul>{''.join(links)}</ul>" if links else ""


def _both(text: Text) -> str:
    return f'{escape(text.zh)}<span class="second">{escape(text.en)}</span>'
