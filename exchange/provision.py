"""Topics: what is there, what is missing, what differs; and the generation, written once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange import control
from exchange.policy import extension
from process.errors import SettingsError
from process.messages import say
from schemas.installed import Installed
from schemas.topics import Topic
from transport.client import Admin, Client, NewTopic, Outgoing, TopicDescription


@dataclass(frozen=True, slots=True)
class Plan:
    """What `apply` would do."""

    missing: Sequence[Topic]
    differing: Mapping[str, Mapping[str, tuple[str, str]]]
    """Topic to setting to (found, wanted)."""
    unfit: Sequence[tuple[Topic, int]]
    """Topics whose partition count is another: nothing but a new prefix mends that."""

    def lines(self) -> list[str]:
        """The plan for a person."""
        return [
            *(f"create  {t.name}  partitions={t.partitions}  {_told(t.configs)}" for t in self.missing),
            *(f"alter   {name}  {_changes(settings)}" for name, settings in self.differing.items()),
            *(f"unfit   {t.name}  partitions={found}, {t.partitions} needed" for t, found in self.unfit),
        ]


def _told(configs: Mapping[str, str]) -> str:
    return "  ".join(f"{name}={value}" for name, value in sorted(configs.items()))


def _changes(settings: Mapping[str, tuple[str, str]]) -> str:
    return "  ".join(f"{name}: {found} -> {wanted}" for name, (found, wanted) in sorted(settings.items()))


def plan(wanted: Sequence[Topic], found: Mapping[str, TopicDescription]) -> Plan:
    """Compare what is wanted with what is there."""
    there = [topic for topic in wanted if topic.name in found]
    differing = {topic.name: _differences(topic, found[topic.name]) for topic in there}
    return Plan(
        missing=[topic for topic in wanted if topic.name not in found],
        differing={name: settings for name, settings in differing.items() if settings},
        unfit=[(t, found[t.name].partitions) for t in there if found[t.name].partitions != t.partitions],
    )


def _differences(topic: Topic, found: TopicDescription) -> dict[str, tuple[str, str]]:
    settings = topic.configs.items()
    return {name: (found.configs.get(name, ""), value) for name, value in settings if found.configs.get(name) != value}


def apply(admin: Admin, planned: Plan, wanted: Sequence[Topic], replication: int) -> None:
    """Create what is missing and set what differs; refuses what cannot be mended."""
    for topic, found in planned.unfit:
        fields = {"topic": topic.name, "field": "partitions", "found": found, "wanted": topic.partitions}
        raise SettingsError(say("exchange.topic_differs", **fields))
    if planned.missing:
        admin.create_topics([NewTopic(t.name, t.partitions, replication, t.configs) for t in planned.missing])
    by_name = {topic.name: topic for topic in wanted}
    for name in planned.differing:
        admin.set_configs(name, by_name[name].configs)


def begin(client: Client, prefix: str, wanted: control.Generation, installed: Installed) -> int:
    """Write what partitions lack of generation, policy and first day; gives how many records that were."""
    known = control.read(client, prefix, installed.contract)
    begun = [found.generation for found in known.values() if found.generation is not None]
    for found in begun:
        control.require_generation(found, {name: value for name, value in wanted.items() if name != "installation"})
    first = begun[0] if begun else wanted
    own = control.Policy(installed.policy, installed.policy_text)
    policy = next((found.policies[-1] for found in known.values() if found.policies), own)
    words = (control.first_words(prefix, n, c, first, policy, installed.contract) for n, c in known.items())
    return _write(client, prefix, [word for each in words for word in each])


def added(client: Client, prefix: str, installed: Installed) -> list[str] | None:
    """What activating the installed policy would add; None where it is activated, or nothing is yet.

    Raises `SettingsError` where it may not follow the activated one.
    """
    activated = next(
        (f.policies[-1] for f in control.read(client, prefix, installed.contract).values() if f.policies), None
    )
    return None if activated is None or activated.hash == installed.policy else extension(activated, installed)


def activate(client: Client, prefix: str, installed: Installed) -> None:
    """Say to every partition that entries are derived by the installed policy from here on."""
    policy = control.Policy(installed.policy, installed.policy_text)
    partitions = control.read(client, prefix, installed.contract)
    _write(client, prefix, [control.activation(prefix, number, policy, installed.contract) for number in partitions])


def _write(client: Client, prefix: str, records: Sequence[Outgoing]) -> int:
    """All of the records, or none."""
    if not records:
        return 0
    transactions = client.transactions(f"{prefix}topics-apply")
    try:
        transactions.begin()
        for record in records:
            transactions.send(record)
        transactions.seal()
        transactions.commit()
    finally:
        transactions.close()
    return len(records)
