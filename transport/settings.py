"""How to reach Kafka: the settings every process has under `kafka`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from process.errors import SettingsError
from process.messages import say

Library = Literal["kafka-python", "confluent-kafka"]


class Kafka(BaseModel):
    """Brokers, names and credentials; `TONGBAN_BROKERS` and its like fill the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brokers: str = Field(min_length=1, description="Kafka brokers, host:port, comma-separated.")
    prefix: str = Field("tongban.", pattern=r"^[a-zA-Z0-9._-]*$", description="Begins every topic's name.")
    client: Library = Field(
        "kafka-python", description="The client library to use; the exchange's own default is confluent-kafka."
    )
    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How brokers are spoken to."
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How to log in, with a SASL protocol."
    )
    username: str | None = Field(None, description="Who logs in.")
    password_file: Path | None = Field(None, description="File with the password alone.")
    ca_file: Path | None = Field(None, description="PEM file of the authority that signed the brokers' certificates.")
    cert_file: Path | None = Field(None, description="PEM file of our own certificate, where brokers ask for one.")
    key_file: Path | None = Field(None, description="PEM file of our certificate's key.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.sasl and not (self.username and self.password_file):
            raise ValueError(f"protocol {self.protocol} needs username and password_file")
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("cert_file and key_file belong together")
        return self

    def preferring(self, client: Library) -> Self:
        """These settings, with this client where none is named."""
        return self if "client" in self.model_fields_set else self.model_copy(update={"client": client})

    def password(self) -> str:
        """The password, read anew each time: it may have been changed under way."""
        if self.password_file is None:
            return ""
        try:
            return self.password_file.read_text("utf-8").strip("\r\n")
        except OSError as exc:
            reason = exc.strerror or type(exc).__name__
            raise SettingsError(
                say("transport.no_file", field="password_file", file=self.password_file, reason=reason)
            ) from exc

    @property
    def sasl(self) -> bool:
        """Whether brokers want a name and a password."""
        return self.protocol.startswith("SASL")

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.protocol.endswith("SSL")
