"""How the publish path answers, in HTTP: one status and title for each reason to refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

import orjson

from catalog.problems import CONTENT_TYPE as PROBLEM
from catalog.problems import TYPE_PREFIX, Problem
from delivery import configuration
from delivery.edge import Accepted, Kind, Refused
from delivery.recording import Recorded

JSON = "application/json"
MAX_ERRORS = 100
FAR = datetime.max.replace(tzinfo=UTC)

STATUSES: Mapping[Kind, tuple[int, str]] = {
    Kind.NOT_A_CLOUDEVENT: (400, "This is not a CloudEvent."),
    Kind.NO_KEY: (401, "An API key is needed."),
    Kind.NO_GRANT: (403, "There is no grant to publish here."),
    Kind.RESIDENCY: (403, "The event may not leave its regions."),
    Kind.UNKNOWN_TYPE: (404, "There is no such event type."),
    Kind.OTHER_CONTENT: (409, "An event with this id was stored with other content."),
    Kind.TOO_LARGE: (413, "This is too large."),
    Kind.CONTENT_TYPE: (415, "This content type is not taken."),
    Kind.UNKNOWN_VERSION: (422, "This version of the contract is not live here."),
    Kind.CONTRACT: (422, "The event breaks its contract."),
    Kind.RATE: (429, "This key publishes too fast."),
    Kind.NOT_NOW: (503, "Events cannot be stored now."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A status, headers by their names, and a body."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] | None = None


def problem(refused: Refused) -> Answer:
    """Answer one refusal."""
    status, title = STATUSES[refused.kind]
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = str(refused.retry_after_seconds)
    return of_problem(
        Problem(
            type=refused.kind.value,
            title=title,
            status=status,
            detail=refused.detail,
            errors=tuple(_errors(refused)),
            headers=headers,
        )
    )


def of_problem(found: Problem) -> Answer:
    """Answer a problem."""
    return Answer(
        status=found.status,
        body=orjson.dumps(found.body()),
        content_type=PROBLEM,
        headers=found.headers,
    )


def batch_problem(refusals: Sequence[tuple[int, Refused]], *, count: int) -> Answer:
    """Answer a batch of which nothing was stored; the first event at fault gives the status."""
    first = refusals[0][1]
    errors = tuple(
        (pointer, message)
        for index, refused in refusals
        for pointer, message in under(index, refused)
    )
    detail = f"{len(refusals)} of {count} events are refused, so none was stored. {first.detail}"
    return problem(Refused(first.kind, detail, errors=errors))


def accepted(
    outcomes: Iterable[Recorded | tuple[int, Refused, str | None, str | None]],
) -> list[dict[str, object]]:
    """Return what a 202 says of each event, in order."""
    return [
        _recorded(one) if isinstance(one, Recorded) else _refused_item(*one) for one in outcomes
    ]


def under(index: int, refused: Refused) -> list[tuple[str, str]]:
    """Return the errors of one event of a batch, with pointers that start with its index."""
    prefix = f"/{index}"
    return [
        (pointer if _is_under(pointer, prefix) else prefix + pointer, message)
        for pointer, message in refused.errors or (("", refused.detail),)
    ]


def deprecation_headers(events: Iterable[Accepted]) -> Mapping[str, str] | None:
    """Return `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) of the first version that ends."""
    ending = [event for event in events if event.version.deprecated_at is not None]
    if not ending:
        return None
    first = min(ending, key=lambda event: event.version.sunset_at or FAR)
    version, name = first.version, first.event_type.name
    since = version.deprecated_at or FAR
    headers = {"Deprecation": f"@{int(since.timestamp())}"}
    if version.sunset_at is not None:
        headers["Sunset"] = format_datetime(version.sunset_at.astimezone(UTC), usegmt=True)
    if version.replacement is not None:
        headers["Link"] = (
            f"<{configuration.public_url()}/api/v1/event-types/{name}/versions/"
            f'{version.replacement}>; rel="successor-version"'
        )
    return headers


def _recorded(outcome: Recorded) -> dict[str, object]:
    return {
        "id": outcome.id,
        "source": outcome.source,
        "status": "duplicate" if outcome.is_duplicate else "accepted",
        "deliveries": outcome.deliveries,
    }


def _refused_item(
    index: int, refused: Refused, id_: str | None, source: str | None
) -> dict[str, object]:
    errors = [{"pointer": pointer, "message": text} for pointer, text in under(index, refused)]
    return {
        "id": id_,
        "source": source,
        "status": "refused",
        "type": TYPE_PREFIX + refused.kind.value,
        "errors": errors[:MAX_ERRORS],
    }


def _errors(refused: Refused) -> Iterable[Mapping[str, str]]:
    for pointer, message in refused.errors[:MAX_ERRORS]:
        yield {"pointer": pointer, "message": message}


def _is_under(pointer: str, prefix: str) -> bool:
    return pointer == prefix or pointer.startswith(prefix + "/")
