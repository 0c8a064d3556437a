"""Callers: which program asks, by its token, and what it may see.

Without a token a caller gets the default grant, and only on the loopback, where the machine's own users are the limit.
There a page of somebody else's, open in the same browser, is kept out: neither its forms nor a name of its own for
this machine is answered.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from approval.api.answering import Asker
from approval.api.problems import problem
from approval.grants import Sensitivity

ANONYMOUS: Final = "default"
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})


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

    def asker(self, request: Request) -> Asker:
        """Who asks; refuses whom nobody has let in."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise problem(HTTPStatus.FORBIDDEN, "from_elsewhere")
        credentials = request.headers.get("authorization")
        if credentials is not None:
            return self._named(credentials)
        if self.anonymous is None:
            raise problem(HTTPStatus.UNAUTHORIZED, "no_token")
        if request.url.hostname not in _LOOPBACK_NAMES:
            raise problem(HTTPStatus.MISDIRECTED_REQUEST, "other_host")
        return Asker(ANONYMOUS, self.anonymous)

    def _named(self, credentials: str) -> Asker:
        scheme, _, token = credentials.partition(" ")
        given = token.strip().lower().encode()
        # Every one is compared, so that the time it takes does not tell which came close.
        same = [name for name, each in self.known.items() if hmac.compare_digest(each.token.hex().encode(), given)]
        if scheme.lower() != "bearer" or not same:
            raise problem(HTTPStatus.UNAUTHORIZED, "no_token")
        return Asker(same[0], self.known[same[0]].grant)
