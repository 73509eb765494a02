"""Traces from publish to each attempt, in the W3C context that travels with the event.

An event keeps the context that it came in, so all that happens to it is in the publisher's trace;
where it came in none, the edge made one, and the span of its publication is the root of it. Beneath
it stand `route`, for each delivery `deliver`, from its making to its first try, and beneath that
every `attempt`. They happen in other processes, hours apart: the ids of `route` and `deliver` are
taken from those of the event and the delivery, so that each finds its parent without being told.

Off, which is usual, every question here is one look at a name. `config.telemetry` turns it on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from urllib.parse import urlsplit
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.util.types import AttributeValue

from catalog.ids import instant_of
from delivery import envelopes
from delivery.claiming import Owed
from delivery.outgoing import Address, Bundle, Headers, Message
from delivery.recording import Prepared
from delivery.transports import Receipt, TransportError

TRACE_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")

# The trace and the span that the next span is to have; a trace that has begun keeps its own.
wanted_ids: ContextVar[tuple[int, int] | None] = ContextVar("wanted_ids", default=None)
_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Trace with this from now on; None turns it off."""
    global _tracer  # noqa: PLW0603 - one a process
    _tracer = tracer


def is_on() -> bool:
    """Tell whether anything is traced."""
    return _tracer is not None


def of_header(text: str | None) -> str:
    """Return a request's `traceparent` header, empty for none and for one that is not valid."""
    return text if text and TRACE_PARENT.fullmatch(text) else ""


def published(events: Iterable[Prepared], *, started_ns: int) -> None:
    """Record the publication of each event, which began then (Unix time) and ends now."""
    if _tracer is None:
        return
    for event in events:
        accepted = event.accepted
        sent = accepted.envelope.text(envelopes.TRACE)
        written = accepted.text(envelopes.TRACE)
        is_ours = sent != written  # the edge made it: this span is what it names
        span = _begun(
            "publish",
            within=None if is_ours else _span_context(written),
            ids=_ids(written) if is_ours else None,
            kind=SpanKind.PRODUCER,
            start_ns=started_ns,
            attributes={
                "messaging.system": "signalbox",
                "messaging.operation.type": "send",
                "messaging.destination.name": accepted.topic.name,
                "cloudevents.event_type": accepted.event_type.name,
                "signalbox.environment": accepted.publisher.environment,
                "signalbox.event.id": str(event.id),
                "signalbox.application.id": str(accepted.publisher.application_id),
            },
        )
        _route(event, span.get_span_context(), started_ns)
        span.end()


def _route(event: Prepared, published: SpanContext, started_ns: int) -> None:
    owed = event.route.owed
    _begun(
        "route",
        within=published,
        ids=(published.trace_id, _span_id(event.id)),
        start_ns=started_ns,
        attributes={
            "signalbox.event.id": str(event.id),
            "signalbox.deliveries": sum(1 for one in owed if not one.skipped),
            "signalbox.skipped": sum(1 for one in owed if one.skipped),
        },
    ).end()


def begin_attempt(message: Message | Bundle, owed: Owed, address: Address) -> Span | None:
    """Begin the span of one request; None while nothing is traced.

    A batch belongs to no one trace: its span has one of its own, with a link to each event's.
    """
    if _tracer is None:
        return None
    many = message.messages if isinstance(message, Bundle) else (message,)
    contexts = [_span_context(one.envelope.text(envelopes.TRACE)) for one in many]
    is_batch = isinstance(message, Bundle)
    within = None if is_batch else _delivered(owed, contexts[0])
    return _begun(
        "attempt",
        within=within,
        kind=SpanKind.CLIENT,
        links=[Link(one) for one in contexts if one is not None] if is_batch else (),
        attributes={
            "messaging.system": "signalbox",
            "messaging.operation.type": "send",
            "messaging.batch.message_count": len(many),
            "server.address": urlsplit(address.url).hostname or "",  # a path may hold a secret
            **_named(owed),
            "signalbox.attempt": owed.attempts + 1,
        },
    )


def _delivered(owed: Owed, event: SpanContext | None) -> SpanContext | None:
    """Return the context of the delivery, whose span is told of with its first attempt."""
    if event is None:
        return None
    route, delivery = (_beside(event, one) for one in (owed.event_id, owed.delivery_id))
    if not owed.attempts:
        _begun(
            "deliver",
            within=route,
            ids=(event.trace_id, delivery.span_id),
            kind=SpanKind.INTERNAL,
            start_ns=int(instant_of(owed.delivery_id).timestamp() * 1_000) * 1_000_000,
            attributes=_named(owed),
        ).end()
    return delivery


def _named(owed: Owed) -> dict[str, AttributeValue]:
    return {
        "signalbox.event.id": str(owed.event_id),
        "signalbox.delivery.id": str(owed.delivery_id),
        "signalbox.subscription.id": str(owed.subscription_id),
        "signalbox.replay": owed.is_replay,
    }


def carried(headers: Headers, span: Span) -> Headers:
    """Return the headers with the request's own span as its `traceparent`."""
    context = span.get_span_context()
    value = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 1:02x}"
    kept = tuple(one for one in headers if one[0] != envelopes.TRACE)
    return (*kept, (envelopes.TRACE, value))


def end_attempt(span: Span, answer: Receipt | TransportError) -> None:
    """End the span of a request with what came of it; no words of the receiver go into it."""
    if answer.status:
        span.set_attribute("http.response.status_code", answer.status)
    if not isinstance(answer, Receipt):
        span.set_attribute("error.type", answer.error_class.value)
        span.set_status(Status(StatusCode.ERROR))
    span.end()


def _ids(trace_parent: str) -> tuple[int, int] | None:
    found = TRACE_PARENT.fullmatch(trace_parent)
    return (int(found[1], 16), int(found[2], 16)) if found else None


def _span_context(trace_parent: str | None) -> SpanContext | None:
    found = TRACE_PARENT.fullmatch(trace_parent or "")
    if found is None:
        return None
    return SpanContext(
        trace_id=int(found[1], 16),
        span_id=int(found[2], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(found[3], 16)),
    )


def _span_id(identifier: UUID) -> int:
    """Return the span of an event or a delivery: the random end of its identifier."""
    return identifier.int & 0xFFFF_FFFF_FFFF_FFFF


def _beside(context: SpanContext, identifier: UUID) -> SpanContext:
    """Return the context of what the identifier names, in the same trace."""
    return SpanContext(
        trace_id=context.trace_id,
        span_id=_span_id(identifier),
        is_remote=True,
        trace_flags=context.trace_flags,
    )


def _begun(
    name: str,
    *,
    within: SpanContext | None,
    attributes: Mapping[str, AttributeValue],
    ids: tuple[int, int] | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
    links: Sequence[Link] = (),
    start_ns: int | None = None,
) -> Span:
    """Begin a span; `ids` are the trace (of a root) and the span that it is to have."""
    tracer = _tracer
    if tracer is None:
        return NonRecordingSpan(within or INVALID_SPAN_CONTEXT)
    # Never the context of whoever calls: an event's trace is its own.
    context = Context()
    if within is not None:
        context = trace.set_span_in_context(NonRecordingSpan(within), context)
    token = wanted_ids.set(ids)
    try:
        return tracer.start_span(
            name,
            context=context,
            kind=kind,
            attributes=attributes,
            links=links,
            start_time=start_ns,
        )
    finally:
        wanted_ids.reset(token)
