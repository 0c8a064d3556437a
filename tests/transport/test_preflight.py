"""What is wrong with a connection is told by name."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from process.errors import SettingsError, TransientError
from transport.broker import Broker, LocalBroker, Login, free_port
from transport.client import Group, NewTopic, Outgoing, TopicPartition, Transactions, connect
from transport.preflight import check
from transport.settings import Kafka, Library

LOGIN = Login("exchange", "a-long-secret")
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # whoever comes to the port without a login: the brokers, and this file's admin
}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBroker]:
    """A broker at which who logs in may do everything to names that begin with t, and only read `closed.read`."""
    with LocalBroker(tmp_path_factory.mktemp("secured") / "data", login=LOGIN, properties=AUTHORIZER) as broker:
        admin = connect(Kafka(brokers=broker.bootstrap)).admin()
        admin.create_topics([NewTopic("closed.read", 1, 1), NewTopic("closed.unread", 1, 1)])
        admin.close()
        allow(
            broker,
            (ResourceType.TOPIC, "t", ResourcePatternType.PREFIXED, AclOperation.ALL),
            (ResourceType.TRANSACTIONAL_ID, "t", ResourcePatternType.PREFIXED, AclOperation.ALL),
            (ResourceType.TOPIC, "closed.read", ResourcePatternType.LITERAL, AclOperation.READ),
        )
        yield broker


def allow(broker: LocalBroker, *rights: tuple[ResourceType, str, ResourcePatternType, AclOperation]) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    whom = f"User:{LOGIN.username}"
    rules = [
        AclBinding(kind, name, pattern, whom, "*", act, AclPermissionType.ALLOW) for kind, name, pattern, act in rights
    ]
    for done in admin.create_acls(rules).values():
        done.result(30)


@pytest.fixture
def settings(secured: LocalBroker, tmp_path: Path) -> Kafka:
    (tmp_path / "password").write_text(LOGIN.password + "\n")
    return Kafka(
        brokers=secured.secure_bootstrap,
        protocol="SASL_SSL",
        username=LOGIN.username,
        password_file=tmp_path / "password",
        ca_file=secured.ca_file,
    )


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_right_credentials_are_let_in(settings: Kafka, library: Library, mechanism: str) -> None:
    chosen = settings.model_copy(update={"mechanism": mechanism, "client": library})
    admin = connect(chosen).admin()
    check(chosen)
    reached = admin.partitions("t-nothing")
    admin.close()

    assert reached == 0


def test_the_safe_path_works_over_tls_with_a_login(settings: Kafka, library: Library, name: str) -> None:
    client = connect(settings.model_copy(update={"client": library}))
    admin = client.admin()
    admin.create_topics([NewTopic(name, 1, 1)])
    admin.close()
    sender = client.transactions(name)
    sender.begin()
    sender.send(Outgoing(name, 0, b"key", b"value"))
    sender.commit()
    sender.close()
    reader = client.reader({TopicPartition(name, 0): -2})
    read = [each.value for each in reader.to_end()]
    reader.close()

    assert read == [b"value"]


def test_a_reader_needs_rights_on_its_topics_and_on_no_group(settings: Kafka, library: Library) -> None:
    reader = connect(settings.model_copy(update={"client": library})).reader({TopicPartition("closed.read", 0): -2})
    read = list(reader.to_end())
    # The answer about the group comes a moment later.
    following = [reader.poll(0.2) for _ in range(3)]
    reader.close()

    assert (read, following) == ([], [[], [], []])


def test_what_the_rights_do_not_allow_is_told_as_that(settings: Kafka, library: Library, name: str) -> None:
    client = connect(settings.model_copy(update={"client": library}))
    admin, reader = client.admin(), client.reader({TopicPartition("closed.unread", 0): -2})
    sender, other = client.transactions(name), client.transactions("closed")
    sender.begin()

    with pytest.raises(SettingsError, match="refuses this access"):
        list(reader.to_end())
    with pytest.raises(SettingsError, match="refuses this access"):
        other.rebuild()
    with pytest.raises(SettingsError, match="refuses this access"):
        send(sender, Outgoing("closed.read", 0, b"key", b"value"))
    with pytest.raises(SettingsError, match="refuses this access"):
        admin.create_topics([NewTopic("closed.new", 1, 1)])
    with pytest.raises(SettingsError, match="refuses this access"):
        poll_until_told(client.group("closed", "closed", ["closed.read"]))


def send(sender: Transactions, record: Outgoing) -> None:
    sender.send(record)
    sender.seal()


def poll_until_told(member: Group) -> None:
    with contextlib.closing(member):
        while True:
            member.poll(0.1)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_is_called_that_and_not_shown(settings: Kafka, tmp_path: Path, mechanism: str) -> None:
    (tmp_path / "wrong").write_text("not-the-secret")
    wrong = settings.model_copy(update={"password_file": tmp_path / "wrong", "mechanism": mechanism})

    with pytest.raises(SettingsError, match="refused user exchange") as caught:
        check(wrong)
    assert "not-the-secret" not in str(caught.value)


def test_a_client_with_a_wrong_password_says_so_too(settings: Kafka, library: Library, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("not-the-secret")
    client = connect(settings.model_copy(update={"password_file": tmp_path / "wrong", "client": library}))

    with pytest.raises(SettingsError, match="refused user exchange"):
        client.admin().partitions("nothing")


def test_a_way_to_log_in_that_is_not_offered_is_told_with_those_that_are(settings: Kafka) -> None:
    with pytest.raises(SettingsError, match=r"does not offer SCRAM-SHA-256; it offers .*SCRAM-SHA-512"):
        check(settings.model_copy(update={"mechanism": "SCRAM-SHA-256"}))


def test_an_unknown_authority_is_told_as_tls(settings: Kafka) -> None:
    with pytest.raises(SettingsError, match="encrypted connection was refused"):
        check(settings.model_copy(update={"ca_file": None}))


def test_tls_to_a_plain_port_and_plain_to_a_tls_port_are_told(settings: Kafka, secured: LocalBroker) -> None:
    with pytest.raises(SettingsError, match=r"encrypted connection was refused|not as a Kafka broker"):
        check(settings.model_copy(update={"brokers": secured.bootstrap}))
    with pytest.raises(SettingsError, match="not as a Kafka broker speaking PLAINTEXT"):
        check(Kafka(brokers=secured.secure_bootstrap))


def test_nobody_there_is_a_reason_to_try_later() -> None:
    with pytest.raises(TransientError, match="does not answer"):
        check(Kafka(brokers=f"127.0.0.1:{free_port()}"))


def test_one_broker_that_answers_is_enough(broker: Broker) -> None:
    check(Kafka(brokers=f"127.0.0.1:{free_port()},{broker.bootstrap}"))


def test_something_else_behind_the_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_answer_like_a_web_server, args=(server,))
        answering.start()
        with pytest.raises(SettingsError, match="not as a Kafka broker"):
            check(Kafka(brokers=f"127.0.0.1:{server.getsockname()[1]}"))
        answering.join()


def test_an_address_without_a_port_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="broker-1 is not host:port"):
        check(Kafka(brokers="broker-1"))


def test_a_password_file_that_is_not_there_is_named(settings: Kafka, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none-such"):
        check(settings.model_copy(update={"password_file": tmp_path / "none-such"}))


def _answer_like_a_web_server(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
