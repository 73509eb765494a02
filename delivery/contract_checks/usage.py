"""Who published and who received events of a version lately."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from catalog.ids import first_of
from catalog.models import Application, SchemaVersion
from delivery.models import Delivery, Event, Subscription
from delivery.states import DeliveryStatus
from governance import contract_usage
from governance.contract_usage import Side, Use


def count_publishers(version: SchemaVersion, environment: str, now: datetime) -> Iterator[Use]:
    """Yield each application that published events of the version in the last 90 days."""
    rows = _counted(_events(version, environment, now), "application_id", "received_at", now)
    names = Application.objects.select_related("team").in_bulk([row[0] for row in rows])
    for application_id, last, count in rows:
        application = names.get(application_id)
        if application is not None:
            yield _use(Side.PUBLISHES, application, environment, (last, count))


def count_receivers(version: SchemaVersion, environment: str, now: datetime) -> Iterator[Use]:
    """Yield each subscription that was delivered events of the version in the last 90 days."""
    since = first_of(now - contract_usage.LOOKS_BACK)
    delivered = Delivery.objects.filter(
        event__in=_events(version, environment, now).values("pk"),
        environment=environment,
        status=DeliveryStatus.DELIVERED,
        pk__gte=since,
    )
    rows = _counted(delivered, "subscription_id", "ended_at", now)
    found = (
        Subscription.objects.standing()
        .select_related("application__team")
        .in_bulk([row[0] for row in rows])
    )
    for subscription_id, last, count in rows:
        subscription = found.get(subscription_id)
        if subscription is not None:
            yield _use(
                Side.RECEIVES, subscription.application, environment, (last, count), subscription
            )


def _events(version: SchemaVersion, environment: str, now: datetime) -> QuerySet[Event]:
    return Event.objects.filter(
        type=version.event_type_id,
        version=version,
        environment=environment,
        pk__gte=first_of(now - contract_usage.LOOKS_BACK),
    )


def _counted(
    rows: QuerySet[Event] | QuerySet[Delivery], by: str, instant: str, now: datetime
) -> list[tuple[UUID, datetime, int]]:
    """Return (key, when last, how many in the last 7 days) for each value of the column `by`."""
    week = Q(pk__gte=first_of(now - contract_usage.ACTIVE_FOR))
    grouped = rows.order_by().values_list(by)
    return list(grouped.annotate(last=Max(instant), n=Count("pk", filter=week)))


def _use(
    side: Side,
    application: Application,
    environment: str,
    counted: tuple[datetime, int],
    subscription: Subscription | None = None,
) -> Use:
    return Use(
        side=side,
        application_id=application.pk,
        application=application.name,
        team=application.team.name,
        team_id=application.team_id,
        environment=environment,
        last_at=counted[0],
        count=counted[1],
        subscription_id=subscription.pk if subscription else None,
        subscription=subscription.name if subscription else "",
    )
