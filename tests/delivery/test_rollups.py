"""Counts by minute, hour and day, and the lines that dashboards draw of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.ids import first_of, uuid7
from delivery import rollups, sampling, series
from delivery.models import Attempt, Delivery, QueueRow, Rollup
from delivery.models.counts import Grain
from delivery.rollups import LATENCY_BOUNDS_MS
from delivery.scopes import Scope
from delivery.series import percentile
from tests.delivery.owing import make_events, make_world, owe


@pytest.mark.django_db
def test_what_happened_is_counted_once_at_every_grain() -> None:
    subscription, version = make_world("http://127.0.0.1:9/hook")
    events = make_events(version, 4)
    ids = owe(subscription, events)
    started = timezone.now()
    for number, pk in enumerate(ids):
        Attempt.objects.create(
            id=uuid7(),
            delivery_id=pk,
            subscription_id=subscription.pk,
            number=1 if number else 2,
            started_at=started,
            duration_ms=20,
            outcome="delivered" if number < 3 else "failed",
            error_class="" if number < 3 else "http_status",
        )
    Delivery.objects.filter(pk=ids[3]).update(status="dead", ended_at=started)
    later = timezone.now() + timedelta(seconds=rollups.SETTLE_SECONDS + 1)
    assert rollups.roll_up(now=later) > 0
    assert rollups.roll_up(now=later) == 0
    for grain in Grain:
        rows = list(Rollup.objects.filter(grain=grain))
        assert sum(row.published for row in rows) == 4
        assert sum(row.delivered for row in rows) == 3
        assert sum(row.first_try for row in rows) == 2
        assert sum(row.failed_attempts for row in rows) == 1
        assert sum(row.retries for row in rows) == 1
        assert sum(row.dead for row in rows) == 1
        assert sum(sum(row.latency_counts) for row in rows) == 3
        assert [row.errors for row in rows if row.errors] == [{"http_status": 1}]
    total = series.summary(
        Scope(environment="production"), since=started - timedelta(hours=1), until=later
    )
    assert (total.published, total.delivered, total.dead) == (4, 3, 1)
    assert total.success_share == 0.75
    mine = series.by_subscription(
        [subscription.pk],
        environment="production",
        since=started - timedelta(hours=1),
        until=later,
    )
    assert mine[subscription.pk].delivered == 3


@pytest.mark.django_db
def test_a_second_run_adds_to_the_first() -> None:
    _subscription, version = make_world("http://127.0.0.1:9/hook")
    make_events(version, 2)
    later = timezone.now() + timedelta(seconds=rollups.SETTLE_SECONDS)
    rollups.roll_up(now=later)
    events = make_events(version, 3)
    type(events[0]).objects.filter(pk__in=[one.pk for one in events]).update(
        received_at=timezone.now()
    )
    rollups.roll_up(now=later + timedelta(seconds=10))
    rows = Rollup.objects.filter(grain=Grain.DAY, subscription_id__isnull=True)
    assert sum(row.published for row in rows) == 5


@pytest.mark.django_db
def test_what_waits_is_sampled_once_a_minute_as_the_most_of_each_span() -> None:
    one, version = make_world("http://127.0.0.1:9/hook")
    other, _version = make_world("http://127.0.0.1:9/hook")
    now = timezone.now().replace(minute=30, second=10, microsecond=0) + timedelta(hours=1)
    owe(one, make_events(version, 5))
    owe(other, make_events(version, 2))
    assert sampling.sample(now=now)
    QueueRow.objects.filter(subscription_id=one.pk).delete()
    assert not sampling.sample(now=now + timedelta(seconds=20))
    assert sampling.sample(now=now + timedelta(minutes=1))
    hour = Rollup.objects.get(grain=Grain.HOUR, subscription_id=one.pk)
    assert hour.backlog == 5
    assert 1000 < hour.oldest_seconds < 2 * 3600
    points = series.series(
        Scope(environment="production"),
        since=now - timedelta(hours=1),
        until=now + timedelta(minutes=2),
    )
    assert [point.backlog for point in points if point.backlog] == [7, 2]


@pytest.mark.django_db
def test_what_flowed_and_what_waits_share_a_row() -> None:
    subscription, version = make_world("http://127.0.0.1:9/hook")
    (pk,) = owe(subscription, make_events(version))
    started = timezone.now()
    sampling.sample(now=started)
    Attempt.objects.create(
        delivery_id=pk,
        subscription_id=subscription.pk,
        number=1,
        started_at=started,
        duration_ms=20,
        outcome="delivered",
    )
    rollups.roll_up(now=timezone.now() + timedelta(seconds=rollups.SETTLE_SECONDS + 1))
    row = Rollup.objects.get(grain=Grain.DAY, subscription_id=subscription.pk)
    assert (row.delivered, row.backlog, sum(row.latency_counts)) == (1, 1, 1)


@pytest.mark.django_db
def test_a_line_has_a_point_for_every_step() -> None:
    now = timezone.now()
    points = series.series(Scope(environment="staging"), since=now - timedelta(hours=1), until=now)
    assert len(points) in (60, 61)
    assert {point.published for point in points} == {0}


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ([0] * 17, 0.5, None),
        ([10] + [0] * 16, 0.5, 5),  # half of 0 to 10 ms
        ([0, 10] + [0] * 15, 1.0, 25),
        ([0] * 16 + [1], 0.99, LATENCY_BOUNDS_MS[-1]),
    ],
)
def test_a_percentile_is_read_off_its_class(
    counts: list[int], share: float, expected: float | None
) -> None:
    assert percentile(counts, share) == expected


def test_a_latency_is_counted_under_the_first_bound_that_holds_it() -> None:
    assert [rollups.latency_class(ms) for ms in (0, 10, 11, 86_400_001)] == [0, 0, 1, 16]


def test_ids_of_an_instant_bound_a_time() -> None:
    assert first_of(timezone.now() - timedelta(seconds=1)) < uuid7()
