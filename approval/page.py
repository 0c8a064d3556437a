"""The page: an answer as one self-contained HTML file for the clerk, to be read at a glance and printed.

It shows names and facts the item discloses, and no number of anybody. Everything is escaped.
"""

from collections import Counter
from html import escape
from importlib import resources
from string import Template
from typing import Any, Final, NamedTuple

from approval.answer import Answer
from approval.verdicts import Follow
from approval.wording import label, time_text
from process.messages import Text

_LABELS: Final = {
    "title": Text("Which papers fall away", "材料免提交核验"),
    "at_label": Text("decided as of (Beijing time)", "核验时间（北京时间）"),
    "follow_label": Text("What to do", "处理"),
    "material_label": Text("Material", "材料"),
    "reason_label": Text("Why", "原因"),
    "as_of_label": Text("Confirmed until", "确认截至"),
    "fact": Text("Fact", "登记事项"),
    "value": Text("On record", "登记内容"),
    "source": Text("Stated by", "来源"),
    "finding": Text("Finding", "结论"),
    "since": Text("since", "自"),
    "differs": Text("differs", "不一致"),
    "nameless": Text("no name on record", "登记库中无名称"),
    "withheld": Text("not disclosed", "不予显示"),
    "nothing": Text("nothing on record", "无记录"),
    "case_number": Text("Case number", "办件编号"),
    "again": Text("Next check", "继续核验"),
    "unconfirmed": Text("The legal basis of this list has not been confirmed.", "材料清单的法律依据尚未核实。"),
}


class Asked(NamedTuple):
    """In which case an answer was asked for, and where to ask the next time."""

    case_number: str
    again: str


def page(told: Answer, lang: str, asked: Asked | None = None) -> str:
    """The whole file; the language asked for first, the other small beneath."""
    writer = _Writer(lang)
    template = Template(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    labels = ("title", "at_label", "follow_label", "material_label", "reason_label", "as_of_label")
    filled = {
        "lang": "zh-CN" if lang == "zh" else "en",
        "item": writer.of(told["item"], "name"),
        "item_second": writer.of(told["item"], "name", second=True),
        "at": escape(time_text(told["at"])),
        "subjects": "".join(writer.subject(role, subject) for role, subject in told["subjects"].items()),
        "case_number": "" if asked is None else writer.named("case_number", asked.case_number),
        "count": writer.count(told["materials"]),
        "materials": "".join(writer.material(material) for material in told["materials"]),
        "footer": writer.footer(told),
        "again": "" if asked is None else writer.again(asked.again),
    }
    return template.substitute(filled, **{name: writer.label(name) for name in labels})


class _Writer:
    """Writes escaped HTML in one language first."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._second = "en" if lang == "zh" else "zh"

    def label(self, name: str) -> str:
        return self.say(_LABELS[name])

    def say(self, text: Text, *, second: bool = False) -> str:
        return escape(getattr(text, self._second if second else self._lang))

    def of(self, told: Answer, name: str, *, second: bool = False) -> str:
        return escape(told[f"{name}_{self._second if second else self._lang}"] or "")

    def both(self, text: Text) -> str:
        return f'{self.say(text)}<div class="second">{self.say(text, second=True)}</div>'

    def subject(self, role: str, subject: Answer) -> str:
        name = escape(subject["name"]) if subject["name"] else self.label("nameless")
        return f'<div><span class="second">{self.say(label("role", role))}</span><b>{name}</b></div>'

    def named(self, name: str, text: str) -> str:
        return f'<div><span class="second">{self.label(name)}</span><b>{escape(text)}</b></div>'

    def again(self, address: str) -> str:
        return f'<p class="again"><a href="{escape(address)}">{self.label("again")}</a></p>'

    def count(self, materials: list[dict[str, Any]]) -> str:
        counted = Counter(material["follow"] for material in materials)
        shown = [(str(follow), counted[str(follow)]) for follow in Follow if counted[str(follow)]]
        return "".join(f'<li class="{code}">{self.say(label("follow", code))} {count}</li>' for code, count in shown)

    def material(self, material: Answer) -> str:
        follow = label("follow", material["follow"])
        reason = Text(material["reason"]["en"], material["reason"]["zh"])
        name = Text(material["name_en"], material["name_zh"])
        as_of = escape(time_text(material["as_of"])) if material["as_of"] else "—"
        verdict = self.say(label("verdict", material["verdict"]))
        return (
            f'<tbody><tr><td class="follow {escape(material["follow"])}"><b>{self.say(follow)}</b>{verdict}</td>'
            f'<td>{self.both(name)}</td><td>{self.both(reason)}</td><td class="as-of">{as_of}</td></tr>'
            f"{self.facts(material['facts'], material['follow'])}</tbody>"
        )

    def facts(self, facts: list[dict[str, Any]], follow: str) -> str:
        if not facts:
            return ""
        head = "".join(f"<th>{self.label(name)}</th>" for name in ("fact", "value", "source", "finding"))
        head += f'<th class="as-of">{self.label("as_of_label")}</th>'
        rows = "".join(self.fact(fact) for fact in facts)
        bar = f'<td class="follow {escape(follow)}"></td>'
        return f'<tr>{bar}<td class="facts" colspan="3"><table><tr>{head}</tr>{rows}</table></td></tr>'

    def fact(self, fact: Answer) -> str:
        verdict = self.say(label("verdict", fact["verdict"]))
        until = escape(time_text(fact["confirmed_until"])) if fact["confirmed_until"] else "—"
        cells = [self.of(fact, "name"), self.value(fact), self.departments(fact), verdict]
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}<td class='as-of'>{until}</td></tr>"

    def departments(self, fact: Answer) -> str:
        named = sorted({each["department"] for each in [fact, *fact["elements"]] if each["department"]})
        return "<br>".join(self.say(label("department", name)) for name in named) or "—"

    def value(self, fact: Answer) -> str:
        if fact["elements"] and fact["disclosed"]:
            return "".join(self.element(each) for each in fact["elements"])
        if fact["state"] == "none":
            return self.label("nothing")
        if not fact["disclosed"]:
            return f'<span class="second">{self.label("withheld")}</span>'
        if not fact[f"value_{self._lang}"]:
            return self.label("nothing")
        since = fact["effective_from"]
        suffix = f' <span class="second">{self.label("since")} {since.isoformat()}</span>' if since else ""
        return self.of(fact, "value") + suffix + "".join(self.dissent(each) for each in fact["dissent"])

    def element(self, element: Answer) -> str:
        return (
            f'<div class="element">{self.parts(element)}{"".join(self.differing(d) for d in element["dissent"])}</div>'
        )

    def parts(self, told: Answer) -> str:
        shown = [part for part in told["parts"] if part[f"value_{self._lang}"]]
        return " ".join(self.part(part) for part in shown) or "—"

    def part(self, part: Answer) -> str:
        return f'<span class="part"><span class="second">{self.of(part, "name")}</span> {self.of(part, "value")}</span>'

    def differing(self, dissent: Answer) -> str:
        department = self.say(label("department", dissent["source"].split(".")[0]))
        return f'<div class="differs">{self.label("differs")}: {department}: {self.parts(dissent)}</div>'

    def dissent(self, dissent: Answer) -> str:
        department = self.say(label("department", dissent["source"].split(".")[0]))
        value = label("code", str(dissent["value"]))
        return f'<div class="differs">{self.label("differs")}: {department}: {self.say(value)}</div>'

    def footer(self, told: Answer) -> str:
        unconfirmed = any(material["legal_basis"]["unconfirmed"] for material in told["materials"])
        version = f"{told['item']['id']} v{told['item']['version']}"
        return escape(version) + (f" · {self.label('unconfirmed')}" if unconfirmed else "")
