"""Traces from publish to each attempt, in the W3C context that travels with the event.

An event keeps the context that it came in, so all that happens to it is in the publisher's trace;
where it came in none, the edge made one, and the span of its publication is the root of it. Off,
which is usual, every question here is one look at a name. `config.telemetry` turns it on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextvars import ContextVar
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
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

from delivery import envelopes
from delivery.claiming import Owed
from delivery.outgoing import Address, Bundle, Headers, Message
from delivery.recording import Prepared
from delivery.transports import Receipt, TransportError

TRACE_PARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")

# The trace and the span that the next root span is to have: what the edge wrote into the event.
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
        parent, token = _context(written), None
        if sent != written:  # the edge made it: this span is what it names
            token = wanted_ids.set(_ids(written))
            parent = Context()
        span = _tracer.start_span(
            "publish",
            context=parent,
            kind=SpanKind.PRODUCER,
            start_time=started_ns,
            attributes={
                "messaging.system": "signalbox",
                "messaging.operation.type": "send",
                "messaging.destination.name": accepted.topic.name,
                "cloudevents.event_type": accepted.event_type.name,
                "signalbox.environment": accepted.publisher.environment,
                "signalbox.event.id": str(event.id),
                "signalbox.application.id": str(accepted.publisher.application_id),
                "signalbox.deliveries": sum(1 for owed in event.route.owed if not owed.skipped),
            },
        )
        span.end()
        if token is not None:
            wanted_ids.reset(token)


def begin_attempt(message: Message | Bundle, owed: Owed, address: Address) -> Span | None:
    """Begin the span of one request; None while nothing is traced.

    A batch belongs to no one trace: its span has one of its own, with a link to each event's.
    """
    if _tracer is None:
        return None
    many = message.messages if isinstance(message, Bundle) else (message,)
    contexts = [_span_context(one.envelope.text(envelopes.TRACE)) for one in many]
    is_batch = isinstance(message, Bundle)
    parent = Context() if is_batch else _within(contexts[0])
    return _tracer.start_span(
        "deliver",
        context=parent,
        kind=SpanKind.CLIENT,
        links=[Link(one) for one in contexts if one is not None] if is_batch else (),
        attributes={
            "messaging.system": "signalbox",
            "messaging.operation.type": "send",
            "messaging.batch.message_count": len(many),
            "server.address": urlsplit(address.url).hostname or "",  # a path may hold a secret
            "signalbox.event.id": str(owed.event_id),
            "signalbox.delivery.id": str(owed.delivery_id),
            "signalbox.subscription.id": str(owed.subscription_id),
            "signalbox.attempt": owed.attempts + 1,
            "signalbox.replay": owed.is_replay,
        },
    )


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


def _context(trace_parent: str) -> Context:
    return _within(_span_context(trace_parent))


def _within(parent: SpanContext | None) -> Context:
    # Never the context of whoever calls: an event's trace is its own.
    if parent is None:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(parent), Context())
