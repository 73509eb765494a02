"""Errors of every machine door as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from catalog.moves import IllegalMove

CONTENT_TYPE = "application/problem+json"
# Readers compare these; they are names, not addresses (RFC 9457, section 3.1.1).
TYPE_PREFIX = "urn:signalbox:problem:"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What went wrong, where, and how to mend it.

    `errors` are {"pointer": JSON pointer, "message": sentence}; none where no document is at fault.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    errors: tuple[Mapping[str, str], ...] = field(default=())
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        members: dict[str, Any] = {
            "type": TYPE_PREFIX + self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
        }
        if self.errors:
            members["errors"] = [dict(error) for error in self.errors]
        return members


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception of an API view; None lets Django's 500 page answer."""
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    return Response(
        problem.body(),
        status=problem.status,
        headers=dict(problem.headers),
        content_type=CONTENT_TYPE,
    )


def problem_of(error: Exception) -> Problem | None:
    """Say in problem words what an exception means; None for what nobody foresaw."""
    if isinstance(error, Http404):
        return Problem(type="not-found", title="There is no such thing here.", status=404)
    if isinstance(error, OperationalError | InterfaceError):
        return Problem(
            type="not-now",
            title="The database does not answer. Try again.",
            status=503,
            headers={"Retry-After": "5"},
        )
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    return _of_verb(error)


def _of_verb(error: Exception) -> Problem | None:
    if isinstance(error, PermissionDenied):
        return Problem(
            type="forbidden",
            title="You may not do this.",
            status=403,
            detail=str(error) or "Ask someone who may, or ask for the permission.",
        )
    if isinstance(error, IllegalMove):
        return Problem(
            type="conflict", title="It is too late for this.", status=409, detail=str(error)
        )
    if isinstance(error, ValidationError):
        return Problem(
            type="invalid",
            title="Some values cannot be taken.",
            status=422,
            errors=tuple(_pointers(error)),
        )
    return None


def _pointers(error: ValidationError) -> Iterable[Mapping[str, str]]:
    if hasattr(error, "error_dict"):
        for name, errors in error.message_dict.items():
            pointer = "" if name == "__all__" else f"/{name}"
            for message in errors:
                yield {"pointer": pointer, "message": message}
        return
    for one in error.error_list:
        pointer = (one.params or {}).get("pointer", "") if isinstance(one.params, dict) else ""
        for message in one.messages:
            yield {"pointer": str(pointer), "message": message}


def _of_framework(error: exceptions.APIException) -> Problem:
    headers = {}
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait) + 1)
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.ValidationError):
        return Problem(
            type="invalid",
            title="Some values cannot be taken.",
            status=422,
            errors=tuple(_flat(error.detail, "")),
        )
    return Problem(
        type=str(error.default_code).replace("_", "-"),
        title=str(error.default_detail),
        status=error.status_code,
        detail=str(error.detail),
        headers=headers,
    )


def _flat(detail: Any, pointer: str) -> Iterable[Mapping[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            at = pointer if name == "non_field_errors" else f"{pointer}/{name}"
            yield from _flat(inner, at)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _flat(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield {"pointer": pointer, "message": str(detail)}
