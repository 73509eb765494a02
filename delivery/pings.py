"""A test event to a subscription's endpoint: sent for real, clearly marked, not counted."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.ids import uuid7
from catalog.models import User
from delivery import configuration, diagnosis, endpoints, mapping, outgoing
from delivery.cloudevents import Envelope
from delivery.expressions import Expression
from delivery.models import Endpoint, Subscription
from delivery.outgoing import Address, Bundle, Message
from delivery.states import BodyMode
from delivery.transports import Outgoing, Receipt, TransportError
from delivery.transports.table import Kind, make_all
from governance import access
from governance.actions import Action
from governance.governed import governed, record

PING_TYPE = "signalbox.ping"


@dataclass(frozen=True, kw_only=True, slots=True)
class PingResult:
    """What the endpoint answered: a sentence for a person, what to do, and how its body starts."""

    ok: bool
    status: int | None
    duration_ms: int
    excerpt: str
    error_class: str
    sentence: str
    advice: str = ""


def ping(subscription: Subscription, *, by: User, now: datetime) -> PingResult:
    """Send a signed test event to the endpoint and say what came back.

    It goes out in the subscription's own form, is stored nowhere but in the ledger, and counts
    neither for nor against the endpoint. Raises PermissionDenied, and ValidationError for a feed.
    """
    access.require(by, Action.SUBSCRIPTION_TEST, subscription)
    endpoint = subscription.endpoint
    if endpoint is None:
        raise ValidationError({"mode": _("A feed has no endpoint to test: read from it instead.")})
    result = send(subscription, endpoint, _envelope(subscription, now), now=now)
    with governed(by=by, now=now):
        record(
            Action.SUBSCRIPTION_TEST,
            subscription,
            after={
                "ok": result.ok,
                "status": result.status,
                "error_class": result.error_class,
                "duration_ms": result.duration_ms,
            },
            related=(subscription.application, subscription.topic),
        )
    return result


def send(
    subscription: Subscription, endpoint: Endpoint, envelope: Envelope, *, now: datetime
) -> PingResult:
    """Send an event in the subscription's own form, and say what came back; nothing is stored."""
    try:
        request = _request(subscription, endpoint, envelope, now)
    except mapping.MappingFailed as error:
        return PingResult(
            ok=False,
            status=None,
            duration_ms=0,
            excerpt="",
            error_class="mapping",
            sentence=_("The mapping does not fit the test event: %(why)s") % {"why": error},
        )
    try:
        receipt = asyncio.run(_send(request))
    except TransportError as error:
        kind = subscription.application.kind
        found = diagnosis.explain(error.error_class, error.status, kind=kind)
        return PingResult(
            ok=False,
            status=error.status,
            duration_ms=error.duration_ms,
            excerpt=error.response_excerpt,
            error_class=error.error_class.value,
            sentence=str(found.sentence),
            advice=str(found.do),
        )
    return PingResult(
        ok=True,
        status=receipt.status,
        duration_ms=receipt.duration_ms,
        excerpt=receipt.response_excerpt,
        error_class="",
        sentence=_("It works: the endpoint answered %(status)s in %(ms)s ms.")
        % {"status": receipt.status, "ms": receipt.duration_ms},
    )


async def _send(request: Outgoing) -> Receipt:
    transports = make_all(allowed_networks=configuration.allowed_networks())
    try:
        return await transports[Kind.WEBHOOK].send(request)
    finally:
        for transport in transports.values():
            await transport.close()


def _request(
    subscription: Subscription, endpoint: Endpoint, envelope: Envelope, now: datetime
) -> Outgoing:
    message = Message(event_id=uuid7(), envelope=envelope)
    is_batched = subscription.collecting_rule is not None
    return outgoing.build(
        Bundle(batch_id=uuid7(), messages=(message,)) if is_batched else message,
        _address(endpoint, now),
        mode=BodyMode(subscription.body),
        mapped_by=_mapping(subscription),
        timeout_seconds=subscription.timeout_seconds,
        timestamp=int(now.timestamp()),
    )


def _mapping(subscription: Subscription) -> Expression | None:
    return mapping.compile(subscription.mapping) if subscription.mapping else None


def _address(endpoint: Endpoint, now: datetime) -> Address:
    return outgoing.address(
        endpoint.url,
        region=endpoint.region_id,
        secrets=endpoints.signing_secrets(endpoint, now=now),
        credentials=endpoints.credentials_of(endpoint),
        custom_ca=endpoint.custom_ca,
    )


def _envelope(subscription: Subscription, now: datetime) -> Envelope:
    at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    data = {
        "message": str(_("This is a test from Signalbox. No event happened.")),
        "subscription": subscription.name,
        "topic": subscription.topic.name,
    }
    digits = secrets.token_hex(24)
    return Envelope(
        id=f"ping-{secrets.token_hex(8)}",
        source=f"/signalbox/subscriptions/{subscription.pk}",
        type=PING_TYPE,
        time=now,
        time_text=at,
        datacontenttype="application/json",
        extensions={"traceparent": f"00-{digits[:32]}-{digits[32:]}-01", "test": True},
        data_raw=orjson.dumps(data),
        data=data,
    )
