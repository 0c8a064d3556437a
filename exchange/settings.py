"""Settings of the exchange: one YAML file, then TONGBAN_… variables."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, field_validator

from schemas.subjects import DistrictKey
from schemas.topics import DEFAULT_PARTITIONS
from transport.settings import Kafka


class Settings(BaseModel):
    """One field per setting; secrets come by file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka: Kafka = Field(description="How to reach the brokers, and the prefix of every topic.")
    state_dir: Path = Field(description="Folder for the workers' state; it can be deleted, and comes again from Kafka.")
    audit_key_file: Path = Field(description="Key shared with the connectors, for counting.")
    district_key_file: Path | None = Field(
        None, description="The district's key; needed for `topics apply` and `get` only."
    )
    district_key_letter: str = Field("A", pattern="^[A-Z]$", description="Version letter of the district's key.")
    district_key_function: Literal["HMAC-SHA256", "HMAC-SM3"] = Field(
        "HMAC-SHA256", description="Function of pseudonyms."
    )
    site_dir: Path | None = Field(
        None, description="Folder of the site's own departments; none: the shipped ones only."
    )
    departments: tuple[str, ...] | None = Field(
        None, min_length=1, description="Departments whose topics are read; none: every one there is."
    )
    partitions: PositiveInt = Field(
        DEFAULT_PARTITIONS, description="Partitions of the keyed topics; fixed for life by `topics apply`."
    )
    replication: PositiveInt = Field(1, description="Replicas of every topic; 3 where there are three brokers.")
    divisions: tuple[str, ...] = Field((), description="Administrative divisions known here beside the national ones.")
    group: str = Field("exchange", description="Consumer group of the workers; the prefix is put before it.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of /metrics, /healthz and /readyz; 0 takes a free one."
    )
    unknown_schema_wait_seconds: PositiveFloat = Field(
        900.0, description="How long a message of an unknown schema holds its partition before it is set aside."
    )

    @field_validator("kafka")
    @classmethod
    def _quick_client(cls, kafka: Kafka) -> Kafka:
        """A worker's day is mostly Kafka, and this client does it for a fraction of the other's processor time."""
        return kafka.preferring("confluent-kafka")

    def district_key(self, secret: bytes) -> DistrictKey:
        """The district's key as it is used."""
        return DistrictKey(secret, self.district_key_letter, self.district_key_function)
