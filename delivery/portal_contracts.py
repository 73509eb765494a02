"""The contracts of the topic `portal.operations`: what Signalbox says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum

from governance.portal_topic import NAME, Contract

Schema = Mapping[str, object]


class PortalEventType(StrEnum):
    """Names of the event types, all of one topic."""

    CIRCUIT_OPENED = f"{NAME}.circuit.opened"
    CIRCUIT_CLOSED = f"{NAME}.circuit.closed"
    SUBSCRIPTION_FAILING = f"{NAME}.subscription.failing"
    SUBSCRIPTION_DISABLED = f"{NAME}.subscription.disabled"
    FAILURE_OPENED = f"{NAME}.failure.opened"
    VERSION_ENDING = f"{NAME}.version.ending"
    GRANT_ENDING = f"{NAME}.grant.ending"
    REVIEW_WAITING = f"{NAME}.review.waiting"


def _text(title: str, most: int = 400, **more: object) -> Schema:
    return {"type": "string", "title": title, "maxLength": most, **more}


def _instant(title: str) -> Schema:
    return _text(title, 40, format="date-time")


_PAGE = _text("Page of the portal", 2000, format="uri")
_NUMBER: Schema = {"type": "integer", "title": "Short number", "minimum": 1}
_SUBSCRIPTION: Schema = {
    "type": "object",
    "title": "Subscription",
    "properties": {
        "number": _NUMBER,
        "name": _text("Name", 120),
        "application": _text("Application, short name", 60),
        "topic": _text("Topic", 120),
    },
    "required": ["number", "name", "application", "topic"],
    "additionalProperties": False,
}
_SUBSCRIPTION_EXAMPLE = {
    "number": 4,
    "name": "Orders to the warehouse",
    "application": "warehouse-loader",
    "topic": "sales.orders",
}
_PAGE_EXAMPLE = "https://signalbox.example.org/subscriptions/4/"

# type -> title, when it happens, further properties, an example of these
_TYPES: Mapping[PortalEventType, tuple[str, str, Mapping[str, Schema], Mapping[str, object]]] = {
    PortalEventType.CIRCUIT_OPENED: (
        "Circuit opened",
        "An endpoint failed so often that deliveries wait until a probe succeeds.",
        {"subscription": _SUBSCRIPTION},
        {"subscription": _SUBSCRIPTION_EXAMPLE},
    ),
    PortalEventType.CIRCUIT_CLOSED: (
        "Circuit closed",
        "An endpoint answers again and what waited is on its way.",
        {"subscription": _SUBSCRIPTION},
        {"subscription": _SUBSCRIPTION_EXAMPLE},
    ),
    PortalEventType.SUBSCRIPTION_FAILING: (
        "Subscription failing",
        "One event has failed four times, or the endpoint has failed for days.",
        {"subscription": _SUBSCRIPTION, "sentence": _text("What happened")},
        {
            "subscription": _SUBSCRIPTION_EXAMPLE,
            "sentence": "An event has failed four times. It is tried again.",
        },
    ),
    PortalEventType.SUBSCRIPTION_DISABLED: (
        "Subscription disabled",
        "Signalbox stopped sending to a subscription; its backlog is kept.",
        {"subscription": _SUBSCRIPTION, "reason": _text("Why", 40)},
        {"subscription": _SUBSCRIPTION_EXAMPLE, "reason": "failing"},
    ),
    PortalEventType.FAILURE_OPENED: (
        "Failure opened",
        "The first dead letter of a cause, or the first after it was resolved.",
        {
            "subscription": _SUBSCRIPTION,
            "number": _NUMBER,
            "error_class": _text("Kind of failure", 40),
            "status_code": {
                "type": ["integer", "null"],
                "title": "Status that the endpoint answered",
            },
        },
        {
            "subscription": _SUBSCRIPTION_EXAMPLE,
            "number": 12,
            "error_class": "http_status",
            "status_code": 500,
        },
    ),
    PortalEventType.VERSION_ENDING: (
        "Version ending",
        "A version that a subscription still receives, or an application still sends, ends soon.",
        {
            "event_type": _text("Event type", 200),
            "version": _text("Version", 40),
            "ends_at": _instant("Ends"),
        },
        {
            "event_type": "com.acme.sales.order.created",
            "version": "1.0.0",
            "ends_at": "2026-12-01T00:00:00Z",
        },
    ),
    PortalEventType.GRANT_ENDING: (
        "Grant ending",
        "A grant ends within days; without a new end its application stops.",
        {
            "number": _NUMBER,
            "grantee": _text("Application or team", 120),
            "verb": _text("May", 10),
            "topic": _text("Topic", 120),
            "ends_at": _instant("Ends"),
        },
        {
            "number": 7,
            "grantee": "CRM sync",
            "verb": "subscribe",
            "topic": "sales.orders",
            "ends_at": "2026-12-01T00:00:00Z",
        },
    ),
    PortalEventType.REVIEW_WAITING: (
        "Review waiting",
        "A change request is open and nobody has decided on it.",
        {
            "number": _NUMBER,
            "title": _text("Title"),
            "topic": _text("Topic", 120),
        },
        {"number": 42, "title": "Billing country on every order", "topic": "sales.orders"},
    ),
}


def contracts() -> Iterator[Contract]:
    """Yield the contract of each type."""
    for name, (title, when, properties, example) in _TYPES.items():
        document = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "type": "object",
            "properties": {**properties, "page": _PAGE},
            "required": [*properties, "page"],
        }
        yield Contract(
            name=name.value,
            title=title,
            description="Said by the portal itself, once for each thing and hour or day.",
            happens_when=when,
            document=json.dumps(document, indent=2),
            example=json.dumps({**example, "page": _PAGE_EXAMPLE}, indent=2),
        )
