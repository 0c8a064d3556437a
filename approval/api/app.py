"""The routes: questions come in as POST bodies, never in an address; answers are JSON, or a page for the clerk."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from approval.answer import Answer
from approval.api.answering import Desk
from approval.api.callers import Callers
from approval.api.form import form
from approval.api.openapi import document
from approval.api.problems import Problem, problem
from approval.api.question import MAX_BYTES, Question, of_form, of_json
from approval.page import page
from process.logs import error, warn
from schemas.plain import to_json

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_BODY_SECONDS: Final = 10
# A client that sends too much is heard out this far, so that it reads why it was refused.
_HEARD_OUT_BYTES: Final = 4 * 1024 * 1024

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


class Counts:
    """What the API tells about itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told = "tongban_approval"
        self.requests = Counter(f"{told}_requests", "Requests, by how they ended.", ["outcome"], registry=registry)
        self.seconds = Histogram(f"{told}_request_duration_seconds", "From question to answer.", registry=registry)


def app(desk: Desk, callers: Callers, counts: Counts) -> Starlette:
    """The application to serve."""
    routes = _Routes(desk, callers, counts)
    made = Starlette(
        routes=[
            Route("/v1/evaluations", routes.evaluations, methods=["POST"]),
            Route("/v1/items", routes.items, methods=["GET"]),
            Route("/v1/items/{id}", routes.item, methods=["GET"]),
            Route("/openapi.json", routes.openapi, methods=["GET"]),
            Route("/", routes.form, methods=["GET"]),
            Route("/", routes.page, methods=["POST"]),
        ],
        exception_handlers={Problem: routes.refused, HTTPException: routes.lost, Exception: routes.failed},
    )
    # A redirect would repeat the path it came by.
    made.router.redirect_slashes = False
    return made


@dataclass(frozen=True, slots=True)
class _Routes:
    desk: Desk
    callers: Callers
    counts: Counts

    async def evaluations(self, request: Request) -> Response:
        _refuse_query(request, set())
        told = await self._answered(request, JSON, of_json)
        return _json(told)

    async def items(self, request: Request) -> Response:
        _refuse_query(request, set())
        fields = {"id", "version", "name_zh", "name_en", "department", "subjects"}
        return _json([item.model_dump(mode="json", include=fields) for item in self.desk.items.values()])

    async def item(self, request: Request) -> Response:
        _refuse_query(request, set())
        item = self.desk.item(request.path_params["id"])
        return _json(item.model_dump(mode="json", by_alias=True))

    async def openapi(self, _request: Request) -> Response:
        return _json(document(token_needed=self.callers.anonymous is None))

    async def form(self, request: Request) -> Response:
        _refuse_query(request, {"item"})
        return _page(self._form(request))

    async def page(self, request: Request) -> Response:
        try:
            _refuse_query(request, {"item"})
            return _page(page(await self._answered(request, FORM, of_form), "zh"))
        except Problem as exc:
            self._count(exc)
            return _page(self._form(request, exc), exc.status)

    def _form(self, request: Request, refused: Problem | None = None) -> str:
        return form(self.desk.items, self.desk.items.get(request.query_params.get("item", "")), refused)

    async def refused(self, _request: Request, exc: Exception) -> Response:
        if not isinstance(exc, Problem):
            raise exc
        self._count(exc)
        more = {"WWW-Authenticate": "Bearer"} if exc.status == HTTPStatus.UNAUTHORIZED else {}
        return _json(exc.told(), exc.status, more)

    async def lost(self, request: Request, exc: Exception) -> Response:
        known = isinstance(exc, HTTPException) and exc.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        status, code = (HTTPStatus.METHOD_NOT_ALLOWED, "other_method") if known else (HTTPStatus.NOT_FOUND, "no_page")
        return await self.refused(request, problem(status, code))

    async def failed(self, request: Request, exc: Exception) -> Response:
        # The server says the rest to the log; a text of an exception may quote what was asked.
        error("approval.answer_failed", error=type(exc).__name__)
        return await self.refused(request, problem(HTTPStatus.INTERNAL_SERVER_ERROR, "defect"))

    async def _answered(self, request: Request, content_type: str, read: Callable[[bytes], Question]) -> Answer:
        began = monotonic()
        asker = self.callers.asker(request)
        question = read(await _body(request, content_type))
        told = await run_in_threadpool(self.desk.answer, question, asker)
        self.counts.requests.labels("answered").inc()
        self.counts.seconds.observe(monotonic() - began)
        return told

    def _count(self, exc: Problem) -> None:
        self.counts.requests.labels(exc.code).inc()
        if exc.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST}:
            warn("approval.denied", code=exc.code)


def _refuse_query(request: Request, known: set[str]) -> None:
    """Addresses are kept in logs and histories: whoever puts a number there is told at the first try."""
    if request.url.query and not set(request.query_params) <= known:
        raise problem(HTTPStatus.BAD_REQUEST, "query_not_taken")


async def _body(request: Request, content_type: str) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != content_type:
        raise problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "other_content_type", expected=content_type)
    body, heard = bytearray(), 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                heard += len(chunk)
                if heard <= MAX_BYTES:
                    body += chunk
                elif heard > _HEARD_OUT_BYTES:
                    break
    except TimeoutError:
        raise problem(HTTPStatus.REQUEST_TIMEOUT, "too_slow") from None
    except ClientDisconnect:
        raise problem(HTTPStatus.BAD_REQUEST, "not_json") from None
    if heard > MAX_BYTES:
        raise problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", limit=MAX_BYTES)
    return bytes(body)


def _json(told: Any, status: HTTPStatus = HTTPStatus.OK, more: Mapping[str, str] | None = None) -> Response:
    return Response(to_json(told) + "\n", status, {**_HEADERS, **(more or {})}, JSON)


def _page(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, _HEADERS, "text/html; charset=utf-8")
