"""Subscriptions, and what goes to them and fails."""

from __future__ import annotations

import hashlib
import json

from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import Application, EventType, Topic, User
from catalog.words import Environment
from delivery import sealing
from delivery.models import (
    Adapter,
    Circuit,
    DeadLetter,
    Delivery,
    Endpoint,
    Event,
    FailureGroup,
    Payload,
    Replay,
    RoutingRule,
    Runbook,
    Subscription,
    Translation,
)
from governance import roles
from governance.governed import governed
from governance.models import Grant
from governance.states import ChangeKind, ChangeState, Verb
from tests.factories.catalog import (
    SAMPLE,
    make_application,
    make_event_type,
    make_person,
    make_topic,
    make_version,
)
from tests.factories.governance import make_change_request, make_grant
from tests.factories.numbering import number


def make_subscription(
    application: Application | None = None,
    *,
    topic: Topic | None = None,
    url: str = "http://127.0.0.1:9/hook",
    environment: str = Environment.PRODUCTION,
    is_granted: bool = True,
    **fields: object,
) -> Subscription:
    """Return an active webhook subscription, with its grant unless told otherwise."""
    now = timezone.now()
    application = application or make_application()
    topic = topic or make_topic()
    if is_granted:
        rival = Grant.objects.in_force(now).filter(
            application=application, topic=topic, verb=Verb.SUBSCRIBE, environment=environment
        )
        if not rival.exists():
            make_grant(application, topic=topic, environment=environment)
    with governed(by=None, now=now):
        endpoint = Endpoint.objects.create(
            application=application, url=url, region=application.region, changed_at=now
        )
        subscription = Subscription(
            name=str(fields.pop("name", f"Orders to {application}")),
            application=application,
            topic=topic,
            environment=environment,
            endpoint=endpoint,
            state_since=now,
            created_at=now,
            **fields,
        )
        subscription.save()
        subscription.refresh_from_db()
        Circuit.objects.get_or_create(subscription=subscription)
    return subscription


def make_rule(topic: Topic | None = None, *, action: str = "deny", **fields: object) -> RoutingRule:
    """Return a routing rule in force in production, as an applied request leaves it."""
    topic = topic or make_topic()
    change = make_change_request(
        topic=topic, kind=ChangeKind.ROUTING_RULE, state=ChangeState.APPLIED
    )
    now = timezone.now()
    values: dict[str, object] = {"name": "A rule", "environment": Environment.PRODUCTION}
    with governed(by=None, now=now):
        rule = RoutingRule(
            topic=topic,
            action=action,
            change_request=change,
            changed_at=now,
            **{"position": 10, **values, **fields},
        )
        rule.save()
        rule.refresh_from_db()
    return rule


def make_translation(
    event_type: EventType, *, from_major: int = 2, to_major: int = 1, mapping: str = "@"
) -> Translation:
    """Return a conversion in force, as an applied request leaves it."""
    change = make_change_request(
        topic=event_type.topic, kind=ChangeKind.TRANSLATION, state=ChangeState.APPLIED
    )
    now = timezone.now()
    with governed(by=None, now=now):
        made = Translation(
            event_type=event_type,
            from_major=from_major,
            to_major=to_major,
            mapping=mapping,
            change_request=change,
            since=now,
        )
        made.save()
    return made


def make_event(
    *,
    event_type: EventType | None = None,
    application: Application | None = None,
    environment: str = Environment.PRODUCTION,
    data: object = SAMPLE,
) -> Event:
    """Return a recorded event with its payload; nothing was routed."""
    event_type = event_type or make_event_type()
    version = event_type.versions.newest_first().first() or make_version(event_type=event_type)
    text = json.dumps(data)
    event = Event.objects.create(
        environment=environment,
        source="/tests",
        event_id=str(uuid7()),
        type=event_type,
        version=version,
        application=application or make_application(),
        received_at=timezone.now(),
        correlation_id=str(uuid7()),
        trace_parent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        size_bytes=len(text),
    )
    Payload.objects.create(event_id=event.pk, topic_id=event_type.topic_id, data=text)
    return event


def make_delivery(
    event: Event | None = None, *, subscription: Subscription | None = None, **fields: object
) -> Delivery:
    """Return a delivery that nobody works on: it is in no queue."""
    event = event or make_event()
    subscription = subscription or make_subscription(
        topic=event.type.topic, environment=event.environment
    )
    delivery = Delivery(
        event=event, subscription=subscription, environment=event.environment, **fields
    )
    delivery.save()
    return delivery


def make_failure_group(
    subscription: Subscription | None = None, *, error_class: str = "http_status"
) -> FailureGroup:
    """Return an open group of one failure."""
    subscription = subscription or make_subscription()
    now = timezone.now()
    with governed(by=None, now=now):
        group = FailureGroup(
            subscription=subscription,
            environment=subscription.environment,
            error_class=error_class,
            status_code=500,
            message="Internal Server Error",
            fingerprint=hashlib.sha256(uuid7().bytes).hexdigest(),
            count=1,
            open_count=1,
            first_seen_at=now,
            last_seen_at=now,
        )
        group.save()
        group.refresh_from_db()
    return group


def make_letter(
    delivery: Delivery, *, group: FailureGroup | None = None, **fields: object
) -> DeadLetter:
    """Return what is kept of a delivery that died: out of attempts, unless told otherwise."""
    now = timezone.now()
    values: dict[str, object] = {
        "limit": "attempts",
        "error_class": "http_status",
        "status_code": 500,
        "message": "Internal Server Error",
        "attempts": 1,
        "first_attempt_at": now,
        "last_attempt_at": now,
        "died_at": now,
        "payload": json.dumps(SAMPLE),
    }
    return DeadLetter.objects.create(
        delivery_id=delivery.pk,
        event_id=delivery.event_id,
        subscription=delivery.subscription,
        failure_group=group or make_failure_group(delivery.subscription),
        environment=delivery.environment,
        event_type=delivery.event.type.name,
        version=delivery.event.version.version,
        **{**values, **fields},
    )


def make_replay(subscription: Subscription | None = None, *, by: User | None = None) -> Replay:
    """Return a queued replay without items."""
    now = timezone.now()
    with governed(by=None, now=now):
        replay = Replay(
            environment=Environment.PRODUCTION,
            subscription=subscription,
            reason="The receiver was mended.",
            requested_by=by or make_person(role=roles.SUPPORT),
            requested_at=now,
        )
        replay.save()
        replay.refresh_from_db()
    return replay


def make_runbook(
    subscription: Subscription | None = None, *, topic: Topic | None = None, **fields: object
) -> Runbook:
    """Return a runbook with one step and a button; bound to a kind of failure unless told."""
    now = timezone.now()
    is_bound = subscription is not None or topic is not None
    with governed(by=None, now=now):
        made = Runbook(
            title=str(fields.pop("title", "When it fails")),
            text=str(fields.pop("text", "## Look\n\nDoes it answer? [Send a test](do:test)")),
            error_class=str(fields.pop("error_class", "" if is_bound else "http_status")),
            subscription=subscription,
            topic=topic,
            changed_at=now,
            **fields,
        )
        made.save()
        made.refresh_from_db()
    return made


def make_adapter(
    application: Application | None = None,
    *,
    event_type: EventType | None = None,
    environment: str = Environment.PRODUCTION,
    **fields: object,
) -> Adapter:
    """Return an inbound address with a header secret, which is "secret"."""

    now = timezone.now()
    with governed(by=None, now=now):
        return Adapter.objects.create(
            slug=str(fields.pop("slug", f"adapter-{number()}")),
            name=str(fields.pop("name", "Orders from the shop")),
            application=application or make_application(),
            environment=environment,
            event_type=event_type or make_event_type(),
            secret_name=str(fields.pop("secret_name", "X-Signalbox-Secret")),
            sealed=sealing.seal("secret"),
            created_at=now,
            **fields,
        )
