"""The routes: questions come in as POST bodies, never in an address; answers are JSON, or a page for the clerk."""

import asyncio
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from approval.api.answering import Asker, Desk
from approval.api.callers import Callers
from approval.api.form import form
from approval.api.openapi import document
from approval.api.problems import Problem
from approval.api.question import MAX_BYTES, Question, form_fields, of_form, of_json
from approval.page import Asked, page
from process.logs import error, warn
from schemas.plain import to_json

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
# Twice what is decided at once: whoever comes above it would wait too long.
MOST_QUESTIONS: Final = 80
# A client that sends too much is heard out this far, so that it reads why it was refused.
_HEARD_OUT_BYTES: Final = 4 * 1024 * 1024

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser would not name our own form's origin either.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
}


class Counts:
    """What the API tells about itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        told = "tongban_approval"
        self.requests = Counter(f"{told}_requests", "Requests, by how they ended.", ["outcome"], registry=registry)
        self.seconds = Histogram(f"{told}_answer_duration_seconds", "From question to answer.", registry=registry)


def app(desk: Desk, callers: Callers, counts: Counts, body_seconds: float = 10.0) -> Starlette:
    """The application to serve; a body that takes longer to arrive is not waited for."""
    routes = _Routes(desk, callers, counts, body_seconds)
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


class _Routes:
    def __init__(self, desk: Desk, callers: Callers, counts: Counts, body_seconds: float) -> None:
        self._desk = desk
        self._callers = callers
        self._counts = counts
        self._body_seconds = body_seconds
        self._open = 0

    async def evaluations(self, request: Request) -> Response:
        _refuse_query(request)
        asker = self._callers.asker(request.headers)
        question = of_json(await _body(request, JSON, self._body_seconds))
        return _json(await self._answer(question, asker))

    async def items(self, request: Request) -> Response:
        _refuse_query(request)
        fields = {"id", "version", "name_zh", "name_en", "department", "subjects"}
        return _json([item.model_dump(mode="json", include=fields) for item in self._desk.items.values()])

    async def item(self, request: Request) -> Response:
        _refuse_query(request)
        item = self._desk.item(request.path_params["id"])
        return _json(item.model_dump(mode="json", by_alias=True))

    async def openapi(self, request: Request) -> Response:
        _refuse_query(request)
        return _json(document(token_needed=self._callers.anonymous is None))

    async def form(self, request: Request) -> Response:
        _refuse_query(request, "item")
        return _page(form(self._desk.items, request.query_params.get("item")))

    async def page(self, request: Request) -> Response:
        fields: Mapping[str, str] = {}
        try:
            _refuse_query(request)
            asker = self._callers.asker(request.headers)
            fields = form_fields(await _body(request, FORM, self._body_seconds))
            question = of_form(fields)
            told = await self._answer(question, asker)
            return _page(page(told, "zh", Asked(question.case_number, f"/?item={question.item}")))
        except Problem as exc:
            self._count(exc)
            return _page(form(self._desk.items, fields.get("item"), fields, exc), exc.status)

    async def refused(self, _request: Request, exc: Exception) -> Response:
        if not isinstance(exc, Problem):
            raise exc
        self._count(exc)
        more = {"WWW-Authenticate": "Bearer"} if exc.status == HTTPStatus.UNAUTHORIZED else {}
        return _json(exc.told(), exc.status, more)

    async def lost(self, _request: Request, exc: Exception) -> Response:
        """No such page, or not asked for in that way: the framework knows which, and which way there is."""
        if not isinstance(exc, HTTPException):
            raise exc
        wrong_way = exc.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        told = Problem(HTTPStatus(exc.status_code), "other_method" if wrong_way else "no_page")
        self._count(told)
        return _json(told.told(), told.status, exc.headers)

    async def failed(self, request: Request, exc: Exception) -> Response:
        # Where, and not what: the text of an exception may quote what was asked.
        last = traceback.extract_tb(exc.__traceback__)[-1]
        error("approval.answer_failed", error=type(exc).__name__, file=last.filename, line=last.lineno)
        return await self.refused(request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "defect"))

    async def _answer(self, question: Question, asker: Asker) -> Answer:
        with self._one_more():
            began = monotonic()
            told = await run_in_threadpool(self._desk.answer, question, asker)
            self._counts.seconds.observe(monotonic() - began)
        self._counts.requests.labels("answered").inc()
        return told

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        if self._open >= MOST_QUESTIONS:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "busy")
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    def _count(self, exc: Problem) -> None:
        self._counts.requests.labels(exc.code).inc()
        if exc.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST}:
            warn("approval.denied", code=exc.code)


def _refuse_query(request: Request, *known: str) -> None:
    """Addresses are kept in logs and histories: whoever puts a number there is told at the first try."""
    if request.scope["query_string"] and not set(request.query_params) <= set(known):
        raise Problem(HTTPStatus.BAD_REQUEST, "query_not_taken")


async def _body(request: Request, content_type: str, seconds: float) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != content_type:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "other_content_type", expected=content_type)
    body, heard = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                heard += len(chunk)
                if heard <= MAX_BYTES:
                    body += chunk
                elif heard > _HEARD_OUT_BYTES:
                    break
    except TimeoutError:
        raise Problem(HTTPStatus.REQUEST_TIMEOUT, "too_slow") from None
    except ClientDisconnect:
        raise Problem(HTTPStatus.BAD_REQUEST, "cut_short") from None
    if heard > MAX_BYTES:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", limit=MAX_BYTES)
    return bytes(body)


def _json(told: Any, status: HTTPStatus = HTTPStatus.OK, more: Mapping[str, str] | None = None) -> Response:
    return Response(to_json(told) + "\n", status, {**_HEADERS, **(more or {})}, JSON)


def _page(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, _HEADERS, "text/html; charset=utf-8")
