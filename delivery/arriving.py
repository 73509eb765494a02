"""What arrives at an inbound adapter, and the event that is published of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalog.ids import instant_of
from delivery import adapters, adapting, knowledge, mapping, publishing
from delivery.adapting import Call, Shape
from delivery.cloudevents import dedup_key, to_structured_bytes
from delivery.edge import Accepted, Refused
from delivery.known import Publisher
from delivery.models import Adapter, EventIdentity
from delivery.recording import Recorded

ATTRIBUTES = {
    "id": "id_path",
    "source": "source_path",
    "subject": "subject_path",
    "time": "time_path",
    "partitionkey": "key_path",
}


def find(slug: str) -> Adapter | None:
    """Return the adapter of the address; None for one that is off, or whose application is."""
    return (
        Adapter.objects.select_related("application", "event_type")
        .filter(
            slug=slug,
            is_active=True,
            application__is_active=True,
            application__service_account__is_active=True,
        )
        .first()
    )


def may_enter(adapter: Adapter, call: Call, *, now: datetime) -> bool:
    """Tell whether the call shows a secret of the adapter that is valid at `now`."""
    return adapting.is_known(
        call,
        kind=adapter.secret_kind,
        name=adapter.secret_name,
        secrets=adapters.secrets_of(adapter, now=now),
    )


def publisher(adapter: Adapter) -> Publisher:
    """Return whose events they are."""
    return Publisher(application_id=adapter.application_id, environment=adapter.environment)


def shape_of(adapter: Adapter) -> Shape:
    """Return how the adapter makes an event of a body."""
    return Shape(
        event_type=adapter.event_type.name,
        source=f"/in/{adapter.slug}",
        expressions={name: getattr(adapter, path) for name, path in ATTRIBUTES.items()},
        data=adapter.data_path,
    )


def take(adapter: Adapter, call: Call, *, now: datetime) -> tuple[Recorded, Accepted]:
    """Publish what the mapping makes of the body, by every rule that other publishers meet.

    Where no expression makes the id, equal bodies within the adapter's window are one event.
    Raises `edge.Refused`, `adapting.MappingFailed` and `knowledge.Stale`.
    """
    shape = shape_of(adapter)
    document = adapting.document_of(call)
    trace = call.headers.get("traceparent", "")
    digest = adapting.digest_of(shape, call.body)
    number = int(now.timestamp()) // adapter.window_seconds
    envelope = adapting.envelope_of(document, shape, fallback_id=f"{digest}-{number}", trace=trace)
    if not adapter.id_path:
        # Windows lie on a grid; one that began in the window before still counts from its event.
        before = f"{digest}-{number - 1}"
        if _is_recent(adapter, envelope.source, before, now):
            envelope = adapting.envelope_of(document, shape, fallback_id=before, trace=trace)
    prepared = publishing.prepare(knowledge.current(), publisher(adapter), envelope, now)
    (outcome,) = publishing.record([prepared])
    if isinstance(outcome, Refused):
        raise outcome
    return outcome, prepared.accepted


def _is_recent(adapter: Adapter, source: str, id: str, now: datetime) -> bool:
    key = dedup_key(adapter.environment, adapter.application_id, source, id)
    found = EventIdentity.objects.filter(pk=key).values_list("event_id", flat=True).first()
    window = timedelta(seconds=adapter.window_seconds)
    return found is not None and instant_of(found) > now - window


def rehearse(
    sample: bytes, shape: Shape, *, environment: str
) -> tuple[bytes | None, tuple[tuple[str, str], ...]]:
    """Return the event that a sample would become, and every fault, as pointer and sentence.

    Nothing is stored; the contract is that of the newest version in the environment. There is no
    event where the sample cannot be read or the mapping fails.
    """
    try:
        document = adapting.document_of(Call(headers={}, query={}, body=sample))
        envelope = adapting.envelope_of(document, shape, fallback_id="sample-1")
    except Refused as refused:
        return None, refused.errors or (("", refused.detail),)
    except (adapting.MappingFailed, mapping.InvalidMapping) as failed:
        return None, getattr(failed, "errors", (("", str(failed)),))
    known = knowledge.current().event_types.get(shape.event_type)
    version = known.newest.get(environment) if known else None
    faults = version.validator.iter_errors(envelope.data) if version else ()
    return to_structured_bytes(envelope), tuple((f"/data{at}", text) for at, text in faults)
