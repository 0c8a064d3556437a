"""Keys and values that only the holder of the district's key can make, written from the grammar by a second hand."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

LETTER = "A"


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """HMAC-SHA256 over scheme and number under the district's key."""

    key: bytes

    def of(self, scheme: str, number: str) -> str:
        told = b"".join(len(part).to_bytes(4, "big") + part for part in (scheme.encode(), number.encode()))
        return LETTER + base64.b32encode(hmac.digest(self.key, told, "sha256"))[:26].decode()

    def keys(self, subject: Mapping[str, str]) -> list[str]:
        """The subject's key; of a row told by itself the two it may have, its id being written plainly or not."""
        scheme, number = subject["scheme"], subject["number"]
        if scheme in {"organisation_code", "registration_number"}:
            return [{"organisation_code": "legal:org:", "registration_number": "legal:reg:"}[scheme] + number]
        if scheme in {"row", "person_row"}:
            source, record_id = number.split("/", 1)
            hidden = self.of(source, self.of(source, record_id))
            return [f"row:{source}:{self.of(source, record_id)}", f"row:{source}:{hidden}"]
        prefix = "legal:tax:" if scheme == "tax_number" else "person:"
        return [prefix + self.of(scheme, number)]
