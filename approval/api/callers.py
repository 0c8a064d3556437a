"""Callers: which program asks, by its token, and what it may see.

Without a token a caller gets the default grant, and only on the loopback, where the machine's own users are the limit.
There a page of somebody else's, open in the same browser, is kept out: neither its forms nor a name of its own for
this machine is answered.
"""

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from approval.api.answering import Asker
from approval.api.problems import Problem
from approval.grants import Sensitivity

ANONYMOUS: Final = "default"


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that shows who it is by a secret."""

    token: bytes
    grant: Sensitivity


@dataclass(frozen=True, slots=True)
class Callers:
    """Everybody who may ask."""

    known: Mapping[str, Caller]
    anonymous: Sensitivity | None
    """What a caller without a token may see; None: nothing."""

    def asker(self, headers: Headers) -> Asker:
        """Who asks; refuses whom nobody has let in."""
        if _from_elsewhere(headers):
            raise Problem(HTTPStatus.FORBIDDEN, "from_elsewhere")
        credentials = headers.get("authorization")
        if credentials is not None:
            return self._named(credentials)
        if self.anonymous is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, "no_token")
        if not _names_this_machine(headers.get("host", "")):
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, "other_host")
        return Asker(ANONYMOUS, self.anonymous)

    def _named(self, credentials: str) -> Asker:
        scheme, _, token = credentials.partition(" ")
        given = token.strip().lower().encode()
        # Every one is compared, so that the time it takes does not tell which came close.
        same = [name for name, each in self.known.items() if hmac.compare_digest(each.token.hex().encode(), given)]
        if scheme.lower() != "bearer" or not same:
            raise Problem(HTTPStatus.UNAUTHORIZED, "no_token")
        return Asker(same[0], self.known[same[0]].grant)


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site's page asks; older ones name only the page's origin."""
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return True
    return "origin" in headers and headers["origin"].partition("://")[2] != headers.get("host", "")


def _names_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
