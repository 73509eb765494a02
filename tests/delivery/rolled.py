"""Roll-ups put straight into the table: for tests of what reads them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from delivery.models import Rollup, Subscription
from delivery.models.counts import Grain


def count(subscription: Subscription, **counts: object) -> None:
    """Put roll-ups of ten minutes ago down, as workers do, by minute, quarter and hour."""
    at = timezone.now() - timedelta(minutes=10)
    for grain, start in (
        (Grain.MINUTE, at.replace(second=0, microsecond=0)),
        (Grain.QUARTER, at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)),
        (Grain.HOUR, at.replace(minute=0, second=0, microsecond=0)),
    ):
        Rollup.objects.create(
            grain=grain,
            at=start,
            environment=subscription.environment,
            topic_id=subscription.topic_id,
            subscription_id=subscription.pk,
            application_id=subscription.application_id,
            **counts,
        )
