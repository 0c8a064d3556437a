"""Settings of the approval side."""

import hmac
import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from approval.audit import Sealing
from approval.grants import Sensitivity
from approval.items import SHIPPED
from process.settings import secret
from process.site import ITEMS
from schemas.subjects import HASHES, DistrictKey
from transport.settings import Kafka


class Grant(BaseModel):
    """What one caller may see, and how it shows that it is that caller."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensitivity: Sensitivity = Field(description="The most sensitive fields that are answered to it.")
    token_file: Path = Field(description="Its bearer token, as hexadecimal text.")


class Settings(BaseModel):
    """One frozen model for the reader and the commands: YAML, then TONGBAN_… from the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: Kafka = Field(description="How to reach the brokers, and the prefix of the installation.")
    state_dir: Path = Field(description="Folder of the view.")
    view_url: str | None = Field(None, description="Database of the view (SQLAlchemy URL); none: SQLite in state_dir.")
    site_dir: Path | None = Field(None, description="Folder of the site's own departments; none: only what is shipped.")
    items_dir: Path | None = Field(
        None, description="Folder of the site's own items, looked into before the shipped; none: items in site_dir."
    )
    district_key_file: Path = Field(description="Key for pseudonyms, as hexadecimal text.")
    district_key_letter: str = Field("A", pattern=r"^[A-Z]$", description="Version letter of that key.")
    district_key_function: Literal["HMAC-SHA256", "HMAC-SM3"] = Field(
        "HMAC-SHA256", description="What it is used with."
    )
    divisions: tuple[str, ...] = Field((), description="Division codes beyond the national list, for tax numbers.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of /metrics, /healthz, /readyz; 0: any free one.")
    metrics_address: str = Field("127.0.0.1", description="Address they are served on.")

    api_port: int = Field(0, ge=0, le=65535, description="Port questions are answered on; 0: any free one, logged.")
    api_address: str = Field(
        "127.0.0.1", description="Address they are answered on; beyond the loopback only grants are."
    )
    api_certificate_file: Path | None = Field(None, description="Certificate chain (PEM); none: no TLS.")
    api_certificate_key_file: Path | None = Field(None, description="Its private key (PEM).")
    grants: Mapping[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")], Grant] = Field(
        default_factory=dict, description="Callers by name, and what each may see."
    )
    default_grant: Sensitivity = Field(
        Sensitivity.INTERNAL, description="What a caller without a token may see; on the loopback only."
    )
    audit_log_key_file: Path | None = Field(
        None, description="Key the audit log is chained by, as hexadecimal text; none: one made from the district key."
    )

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.api_certificate_file is None) != (self.api_certificate_key_file is None):
            raise ValueError("give api_certificate_file and api_certificate_key_file together")
        return self

    @model_validator(mode="after")
    def _somebody_may_ask(self) -> Self:
        if not self.on_loopback and not self.grants:
            raise ValueError("beyond the loopback (api_address) only grants are answered: give grants")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can ask."""
        try:
            return ipaddress.ip_address(self.api_address).is_loopback
        except ValueError:
            return self.api_address == "localhost"

    @property
    def audit_log(self) -> Path:
        """Where every answer is written down first."""
        return self.state_dir / "approval-audit.jsonl"

    def audit_sealing(self) -> Sealing:
        """What the audit log is chained by; reads the key's file."""
        if self.audit_log_key_file is not None:
            return Sealing(secret(self.audit_log_key_file), self.district_key_function)
        key, function = secret(self.district_key_file), HASHES[self.district_key_function]
        return Sealing(hmac.new(key, b"tongban approval audit log", function).digest(), self.district_key_function)

    @property
    def database(self) -> str:
        """The view's SQLAlchemy URL."""
        return self.view_url or f"sqlite:///{self.state_dir.absolute() / 'view.db'}"

    @property
    def item_folders(self) -> tuple[Path, ...]:
        """Where items are looked for, first found first."""
        own = self.items_dir or (self.site_dir / ITEMS if self.site_dir else None)
        return (SHIPPED,) if own is None else (own, SHIPPED)

    def district_key(self) -> DistrictKey:
        """The district's key; reads its file."""
        return DistrictKey(secret(self.district_key_file), self.district_key_letter, self.district_key_function)
