"""What news lead to on `portal.operations`: the same facts that people are told of, for flows."""

from __future__ import annotations

from datetime import UTC, datetime

from django.dispatch import receiver
from django.urls import reverse

from catalog.models import Release
from catalog.words import Environment
from delivery import portal_events, signals
from delivery.models import FailureGroup, Subscription
from delivery.portal_contracts import PortalEventType
from governance import signals as governance_signals
from governance.models import ChangeRequest, Grant

HOURLY, DAILY = "%Y%m%d%H", "%Y%m%d"


@receiver(signals.circuit_opened, dispatch_uid="delivery.publish_circuit_opened")
def publish_circuit_opened(thing: Subscription, now: datetime, **_news: object) -> None:
    """Say that an endpoint no longer answers."""
    _note(thing, PortalEventType.CIRCUIT_OPENED, key=f"{now:{HOURLY}}", now=now)


@receiver(signals.circuit_closed, dispatch_uid="delivery.publish_circuit_closed")
def publish_circuit_closed(thing: Subscription, now: datetime, **_news: object) -> None:
    """Say that it answers again."""
    _note(thing, PortalEventType.CIRCUIT_CLOSED, key=f"{now:{HOURLY}}", now=now)


@receiver(signals.delivery_failing, dispatch_uid="delivery.publish_delivery_failing")
def publish_delivery_failing(thing: Subscription, now: datetime, **_news: object) -> None:
    """Say that one event has failed again and again."""
    said = "An event has failed four times. It is tried again."
    type_ = PortalEventType.SUBSCRIPTION_FAILING
    _note(thing, type_, key=f"event:{now:{DAILY}}", now=now, sentence=said)


@receiver(signals.endpoint_failing, dispatch_uid="delivery.publish_endpoint_failing")
def publish_endpoint_failing(
    thing: Subscription, percent: int, now: datetime, **_news: object
) -> None:
    """Say that sending will stop unless somebody mends the endpoint."""
    said = f"It has failed for {percent} % of the five days after which sending stops."
    type_ = PortalEventType.SUBSCRIPTION_FAILING
    _note(thing, type_, key=f"{percent}:{now:{DAILY}}", now=now, sentence=said)


@receiver(signals.subscription_disabled, dispatch_uid="delivery.publish_disabled")
def publish_disabled(thing: Subscription, now: datetime, **_news: object) -> None:
    """Say that nothing is sent any more."""
    type_ = PortalEventType.SUBSCRIPTION_DISABLED
    key = f"{thing.state_since:%Y%m%d%H%M}"
    _note(thing, type_, key=key, now=now, reason=str(thing.state_reason))


@receiver(signals.failure_opened, dispatch_uid="delivery.publish_failure_opened")
@receiver(signals.failure_reopened, dispatch_uid="delivery.publish_failure_reopened")
def publish_failure(thing: FailureGroup, now: datetime, **_news: object) -> None:
    """Say that events die of a cause that is new, or back."""
    portal_events.note_about(
        thing.subscription,
        PortalEventType.FAILURE_OPENED,
        key=f"{thing.pk}:{now:{HOURLY}}",
        path=reverse("delivery:failure-detail", args=[thing.number]),
        now=now,
        number=thing.number,
        error_class=thing.error_class,
        status_code=thing.status_code,
    )


@receiver(governance_signals.grant_ending, dispatch_uid="delivery.publish_grant_ending")
def publish_grant_ending(thing: Grant, days: int, now: datetime, **_news: object) -> None:
    """Say that somebody will soon lose access."""
    until = thing.until or now
    portal_events.note(
        PortalEventType.GRANT_ENDING,
        key=f"{thing.pk}:{until:{DAILY}}:{days}",
        environment=thing.environment,
        data={
            "number": thing.number,
            "grantee": str(thing.grantee),
            "verb": thing.verb,
            "topic": thing.topic.name,
            "ends_at": until.astimezone(UTC).isoformat(),
        },
        path=reverse("governance:access"),
        subject=f"grants/{thing.number}",
        now=now,
    )


@receiver(governance_signals.version_ending, dispatch_uid="delivery.publish_version_ending")
def publish_version_ending(thing: Release, days: int, now: datetime, **_news: object) -> None:
    """Say that a version ends soon."""
    event_type, ends = thing.version.event_type, thing.sunset_at or now
    portal_events.note(
        PortalEventType.VERSION_ENDING,
        key=f"{thing.pk}:{ends:{DAILY}}:{days}",
        environment=thing.environment,
        data={
            "event_type": event_type.name,
            "version": thing.version.version,
            "ends_at": ends.astimezone(UTC).isoformat(),
        },
        path=reverse("catalog:event-type-versions", args=[event_type.name]),
        subject=event_type.name,
        now=now,
    )


@receiver(governance_signals.change_opened, dispatch_uid="delivery.publish_review_waiting")
def publish_review_waiting(thing: ChangeRequest, now: datetime, **_news: object) -> None:
    """Say that a change waits for somebody's review."""
    portal_events.note(
        PortalEventType.REVIEW_WAITING,
        key=f"{thing.pk}:{now:{DAILY}}",
        # A change is about both environments; who reacts to it works in this one.
        environment=Environment.PRODUCTION,
        data={
            "number": thing.number,
            "title": thing.title,
            "topic": thing.topic.name,
        },
        path=reverse("governance:change-request-detail", args=[thing.number]),
        subject=f"changes/{thing.number}",
        now=now,
    )


def _note(
    thing: Subscription, type_: PortalEventType, *, key: str, now: datetime, **data: object
) -> None:
    path = reverse("delivery:subscription-detail", args=[thing.number])
    portal_events.note_about(thing, type_, key=f"{thing.pk}:{key}", path=path, now=now, **data)
