"""The form: what a clerk fills in, Chinese first: one self-contained page, sent as a body and never in an address."""

from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Final

from approval.api.problems import Problem
from approval.items import Item
from approval.wording import label
from process.logs import masked
from process.messages import Text

_LABELS: Final = {
    "title": Text("Which papers fall away", "材料免提交核验"),
    "other": Text("Other items", "其他事项"),
    "legal_person": Text("credit code, or another number of the licence", "统一社会信用代码、注册号等"),
    "natural_person": Text("resident number", "公民身份号码"),
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
_ATTRIBUTES: Final = {
    "case_number": 'maxlength="64" required',
    "purpose": 'minlength="2" maxlength="200" required',
    "operator": 'maxlength="64" required',
    "at": 'type="datetime-local"',
}
_NUMBER: Final = 'maxlength="64" required autocomplete="off" spellcheck="false"'


def form(
    items: Mapping[str, Item],
    chosen: str | None,
    filled: Mapping[str, str] | None = None,
    refused: Problem | None = None,
) -> str:
    """The whole page: for the first item where none is chosen; filled as it was sent, but for numbers."""
    shown = items.get(chosen or "") or next(iter(items.values()), None)
    wrong = None if refused is None else refused.field
    template = Template(resources.files(__package__).joinpath("form.html").read_text("utf-8"))
    return template.substitute(
        title=escape(_LABELS["title"].zh),
        heading=_both(_LABELS["title"]),
        refused="" if refused is None else _refused(refused, shown),
        form=_both(_LABELS["none"]) if shown is None else _form(shown, filled or {}, wrong),
        others=_others([item for item in items.values() if item is not shown]),
    )


def _refused(refused: Problem, item: Item | None) -> str:
    roles = () if item is None else item.subjects
    names = {**_LABELS, **{f"subjects.{role}": label("role", role) for role in roles}}
    return f'<p class="refused" role="alert">{_both(refused.text(names.get(refused.field or "")))}</p>'


def _form(item: Item, filled: Mapping[str, str], wrong: str | None) -> str:
    numbers = [_input(f"subjects.{role}", _of_role(role, kind), _NUMBER, wrong) for role, kind in item.subjects.items()]
    kept = {name: value for name, value in filled.items() if name != wrong and masked(value) == value}
    others = [_input(name, _LABELS[name], f"{more}{_value(kept, name)}", wrong) for name, more in _ATTRIBUTES.items()]
    return (
        '<form method="post" action="/">'
        f"<h2>{_both(Text(item.name_en, item.name_zh))}</h2>"
        f'<input type="hidden" name="item" value="{escape(item.id)}">{"".join([*numbers, *others])}'
        f'<button>{escape(_LABELS["send"].zh)} <span class="second">{escape(_LABELS["send"].en)}</span></button>'
        f'<p class="second">{escape(_LABELS["logged"].zh)}<br>{escape(_LABELS["logged"].en)}</p></form>'
    )


def _of_role(role: str, kind: str) -> Text:
    named, number = label("role", role), _LABELS[kind]
    return Text(f"{named.en}: {number.en}", f"{named.zh}：{number.zh}")


def _value(filled: Mapping[str, str], name: str) -> str:
    """What need not be typed again."""
    return f' value="{escape(filled[name])}"' if name in filled else ""


def _input(name: str, text: Text, attributes: str, wrong: str | None) -> str:
    mark = ' aria-invalid="true" autofocus' if name == wrong else ""
    return f'<label>{_both(text)}<input name="{escape(name)}" {attributes}{mark}></label>'


def _others(items: list[Item]) -> str:
    links = [
        f'<li><a href="/?item={escape(each.id)}">{_both(Text(each.name_en, each.name_zh))}</a></li>' for each in items
    ]
    return f"<h2>{_both(_LABELS['other'])}</h2><ul>{''.join(links)}</ul>" if links else ""


def _both(text: Text) -> str:
    return f'{escape(text.zh)}<span class="second">{escape(text.en)}</span>'
