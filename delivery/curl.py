"""The same request again, as a shell command: what was published, what an endpoint is sent."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from datetime import datetime

from delivery import configuration, envelopes, outgoing
from delivery.cloudevents import to_structured_bytes
from delivery.endpoints import credentials_of
from delivery.models import Delivery, Event
from delivery.outgoing import Address, Bundle, Message
from delivery.payloads import Seen
from delivery.states import BodyMode

MASK = "••••••"


def to_publish(event: Event, seen: Seen) -> str:
    """Return a shell command that publishes the same again; the key is left to fill in."""
    envelope = envelopes.envelope_of(event, None, type_name=event.type.name)
    document = json.loads(to_structured_bytes(envelope))
    if seen.data is not None:
        document["datacontenttype"] = "application/json"
        document["data"] = seen.data
    return _curl(
        f"{configuration.public_url()}/api/v1/events",
        [
            ("Authorization", "Bearer <your key>"),
            ("Content-Type", "application/cloudevents+json"),
        ],
        json.dumps(document, ensure_ascii=False, indent=1),
    )


def to_deliver(delivery: Delivery, seen: Seen, *, now: datetime) -> str:
    """Return the request to the endpoint as a shell command; secrets and signature are masked.

    Empty for a feed, and for a payload that the viewer may not see or that is gone. A mapped body
    is shown as the event's data: the mapping stands in the subscription. A batch holds it alone.
    """
    subscription, event = delivery.subscription, delivery.event
    if subscription.endpoint is None or seen.is_hidden or seen.is_gone:
        return ""
    data = json.dumps(seen.data, ensure_ascii=False) if seen.data is not None else ""
    credentials = credentials_of(subscription.endpoint)
    headers = [(name, MASK) for name in credentials.headers]
    if credentials.auth is not None:
        headers.append(("authorization", MASK))
    message = Message(
        event_id=event.pk, envelope=envelopes.envelope_of(event, data, type_name=event.type.name)
    )
    is_batched = subscription.collecting_rule is not None
    built = outgoing.build(
        Bundle(batch_id=event.pk, messages=(message,)) if is_batched else message,
        Address(url=subscription.endpoint.url, region="", headers=tuple(headers)),
        mode=BodyMode(subscription.body),
        timeout_seconds=subscription.timeout_seconds,
        timestamp=int(now.timestamp()),
    )
    signed = [*built.headers, ("webhook-signature", MASK)]
    return _curl(built.url, signed, built.body.decode())


def _curl(url: str, headers: Sequence[tuple[str, str]], body: str) -> str:
    lines = [f"curl -X POST {shlex.quote(url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers]
    if body:
        lines.append(f"--data-raw {shlex.quote(body)}")
    return " \\\n  ".join(lines)
