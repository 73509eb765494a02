"""REST hooks, as builders speak them: subscribe, unsubscribe, and a sample for the field picker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from catalog import referring, schemas
from catalog.models import Application, EventType, User
from delivery import configuration, endpoints, envelopes, subscriptions
from delivery.cloudevents import to_structured_bytes
from delivery.models import Event, Payload, Subscription
from governance import access
from governance.actions import Action

SAMPLES = 3


def subscribe(
    *,
    application: Application,
    environment: str,
    target_url: str,
    event_type: str,
    filter: object = None,
    by: User,
    now: datetime,
) -> tuple[Subscription, str]:
    """Make a subscription for one event type, or return the one that stands for the same address.

    Builders subscribe again at every save; that must not double what they get. Raises
    `EventType.DoesNotExist` for a type that the application may not know of, PermissionDenied, and
    ValidationError by field.
    """
    wanted = _known_type(event_type, by)
    standing = (
        Subscription.objects.standing()
        .with_names()
        .filter(
            application=application,
            environment=environment,
            topic=wanted.topic,
            event_types=[wanted.name],
            endpoint__url=target_url,
            is_hook=True,
        )
        .first()
    )
    if standing is None or standing.endpoint is None:
        return subscriptions.create(
            application=application,
            topic=wanted.topic,
            environment=environment,
            by=by,
            now=now,
            is_hook=True,
            event_types=[wanted.name],
            endpoint_url=target_url,
            filter=filter,
        )
    access.require(by, Action.SUBSCRIPTION_CREATE, application)
    endpoint = standing.endpoint
    if (standing.filter or None) != (filter or None):
        standing = subscriptions.change(standing, by=by, now=now, filter=filter)
    return standing, endpoints.signing_secrets(endpoint, now=now)[0]


def unsubscribe(subscription: Subscription, *, by: User, now: datetime) -> Subscription:
    """End what `subscribe` made; raises as `subscriptions.end` does."""
    return subscriptions.end(subscription, by=by, now=now)


def sample(event_type: str, *, environment: str, by: User) -> Sequence[dict[str, object]]:
    """Return the latest events of a type whole, newest first; else one made of its example.

    Empty when the type has neither. What `by` may not see is masked or left out. Raises
    `EventType.DoesNotExist`.
    """
    wanted = _known_type(event_type, by)
    recent = Event.objects.filter(type=wanted, environment=environment).select_related("version")
    visible = access.restrict(recent.order_by("-id"), by, Action.PAYLOAD_VIEW)[:SAMPLES]
    found = [_whole(event, wanted, by) for event in visible]
    return found or _example(wanted, environment)


def _known_type(name: str, by: User) -> EventType:
    return access.restrict(
        EventType.objects.select_related("topic"), by, Action.EVENT_TYPE_VIEW
    ).get(name=name)


def _whole(event: Event, event_type: EventType, by: User) -> dict[str, object]:
    data = Payload.objects.filter(event_id=event.pk).values_list("data", flat=True).first()
    envelope = envelopes.envelope_of(event, data, type_name=event_type.name)
    document: dict[str, object] = json.loads(to_structured_bytes(envelope))
    if "data" in document and not access.allows(by, Action.SENSITIVE_VIEW, event):
        document["data"] = schemas.mask(
            document["data"], event.version.document, resolve=referring.resolve
        )
    return document


def _example(event_type: EventType, environment: str) -> list[dict[str, object]]:
    version = event_type.versions.live_in(environment).newest_first().first()
    if version is None or not version.example:
        return []
    schema = (
        f"{configuration.public_url()}/api/v1/event-types/{event_type.name}"
        f"/versions/{version.version}/schema"
    )
    return [
        {
            "specversion": "1.0",
            "id": "example-1",
            "source": "/example",
            "type": event_type.name,
            "datacontenttype": "application/json",
            "dataschema": schema,
            "data": json.loads(version.example),
        }
    ]
