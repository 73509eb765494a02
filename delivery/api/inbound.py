"""The door of inbound adapters, `POST /in/{adapter}` (design, section 6.2)."""

from __future__ import annotations

import math
import time
from datetime import datetime

import orjson
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from catalog.problems import Problem
from delivery import adapting, answers, arriving, configuration, knowledge, publish_notes
from delivery.adapting import Call
from delivery.allowance import Allowance
from delivery.answers import Answer
from delivery.cloudevents import MAX_REQUEST_BYTES
from delivery.edge import Kind, Refused
from delivery.models import Adapter
from delivery.states import SecretKind

_allowance: Allowance | None = None


@csrf_exempt  # a machine calls, with a secret and without a cookie
@require_POST
def inbound(request: HttpRequest, slug: str) -> HttpResponse:
    """Take what a builder sends, and publish the event that the adapter makes of it."""
    try:
        answer = _take(request, slug, timezone.now())
    except Refused as refused:
        answer = answers.problem(refused)
    except adapting.MappingFailed as failed:
        answer = _unmapped(failed)
    except (knowledge.Stale, OperationalError, InterfaceError):
        answer = answers.problem(Refused(Kind.NOT_NOW, "This cannot be stored now. Try again."))
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type=answer.content_type,
        headers=dict(answer.headers or {}),
    )


def _take(request: HttpRequest, slug: str, now: datetime) -> Answer:
    adapter = arriving.find(slug)
    if adapter is None:
        return _problem("not-found", "There is no such inbound address.", 404)
    call = _call(request)
    if not arriving.may_enter(adapter, call, now=now):
        return _stranger(adapter)
    _require_rate(adapter)
    try:
        recorded, accepted = arriving.take(adapter, call, now=now)
    except Refused as refused:
        # Written later by the publish path of this process, never within a request.
        publish_notes.refused.add(
            refused,
            publisher=arriving.publisher(adapter),
            topic_id=adapter.event_type.topic_id,
        )
        raise
    headers = answers.deprecation_headers([accepted])
    body = orjson.dumps(answers.accepted([recorded])[0])
    return Answer(status=202, body=body, headers=headers)


def _call(request: HttpRequest) -> Call:
    length = request.headers.get("Content-Length", "")
    body = b""
    if not length.isdecimal() or int(length) <= MAX_REQUEST_BYTES:
        # One byte more than may be: the core says how much that is.
        body = request.read(MAX_REQUEST_BYTES + 1)
    if len(body) > MAX_REQUEST_BYTES or (length.isdecimal() and int(length) > MAX_REQUEST_BYTES):
        raise Refused(
            Kind.TOO_LARGE, f"A request may hold {MAX_REQUEST_BYTES // 1024} KiB, no more."
        )
    return Call(
        headers={name.lower(): value for name, value in request.headers.items()},
        query={name: values[-1] for name, values in request.GET.lists() if values},
        body=body,
    )


def _require_rate(adapter: Adapter) -> None:
    global _allowance  # noqa: PLW0603 - one a process
    if _allowance is None:
        _allowance = Allowance(configuration.publish_rate_per_second())
    wait = _allowance.take(adapter.pk, 1, time.monotonic())
    if wait:
        seconds = math.ceil(wait)
        detail = f"This address is over its rate; it takes events again in {seconds} s."
        raise Refused(Kind.RATE, detail, retry_after_seconds=seconds)


def _stranger(adapter: Adapter) -> Answer:
    scheme = "Basic" if adapter.secret_kind == SecretKind.BASIC else "Secret"
    return _problem(
        "wrong-secret",
        "The secret of this inbound address is missing or wrong.",
        401,
        headers={"WWW-Authenticate": f'{scheme} realm="{adapter.slug}"'},
    )


def _unmapped(failed: adapting.MappingFailed) -> Answer:
    return answers.of_problem(
        Problem(
            type="mapping",
            title="The mapping does not fit this body.",
            status=422,
            detail=str(failed),
            errors=tuple({"pointer": at, "message": message} for at, message in failed.errors),
        )
    )


def _problem(
    type_: str, title: str, status: int, *, headers: dict[str, str] | None = None
) -> Answer:
    return answers.of_problem(
        Problem(type=type_, title=title, status=status, headers=headers or {})
    )
