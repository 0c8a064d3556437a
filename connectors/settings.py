"""What a connector's process is told: one YAML file, then the environment."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from process.settings import secret
from process.site import SOURCES
from schemas.audit import AuditKey
from schemas.subjects import DistrictKey
from transport.settings import Kafka


class Settings(BaseModel):
    """One field per variable: YAML, then TONGBAN_BROKERS fills `kafka.brokers`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: Kafka
    state_dir: Path = Field(description="Folder of the connectors' stores.")
    district_key_file: Path = Field(description="Key of all pseudonyms, in hexadecimal.")
    district_key_letter: str = Field("A", pattern="^[A-Z]$", description="Version letter of that key.")
    district_key_function: Literal["HMAC-SHA256", "HMAC-SM3"] = Field(
        "HMAC-SHA256", description="What it is used with."
    )
    audit_key_file: Path = Field(description="Key shared by connectors and exchange for counting, in hexadecimal.")
    metrics_port: int = Field(0, ge=0, le=65535, description="Port of /metrics, /healthz, /readyz; 0: a free one.")
    metrics_address: str = Field("127.0.0.1", description="Address they are served on.")
    poll_seconds: PositiveFloat | None = Field(None, description="Instead of what each source's file says.")
    site_dir: Path | None = Field(None, description="Folder of the site's own departments; none: only what is shipped.")
    sources_dir: Path | None = Field(None, description="Folder of the site's own sources; none: sources in site_dir.")
    inventory_seconds: PositiveFloat | None = Field(None, description="Instead of what each source's file says.")
    resend_wait_seconds: PositiveFloat = Field(
        30.0, description="How long a resend waits for what the partitions hold; meanwhile nothing else is sent."
    )

    def district_key(self) -> DistrictKey:
        return DistrictKey(secret(self.district_key_file), self.district_key_letter, self.district_key_function)

    def audit_key(self) -> AuditKey:
        return AuditKey(secret(self.audit_key_file))

    @property
    def own_sources(self) -> Path | None:
        """Where the site's own sources are looked for."""
        return self.sources_dir or (self.site_dir / SOURCES if self.site_dir else None)

    def store_folder(self, source: str) -> Path:
        """Where the store of a source lies: one per prefix, for each prefix is a world of its own."""
        return self.state_dir / f"{self.kafka.prefix}{source}"
