"""What the main pages cost at ten thousand and at a million deliveries: queries and milliseconds.

The gates: as many queries with a hundred times the rows, and not much more time. Both sizes are
measured in one run on one database, which is loaded in between; `BENCH_DELIVERIES` sets the larger.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench import database
from tests.bench.measuring import Measurement

SMALL = 10_000
LARGE = int(os.environ.get("BENCH_DELIVERIES", "1000000"))
ROUNDS = 7
LARGEST_RATIO = 3.0
# Below this a page is fast whatever the ratio says: two short times differ by chance.
UNNOTICED_MS = 60.0


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one page took."""

    queries: int
    milliseconds: float


def run() -> list[Measurement]:
    """Seed the demo, load both sizes, and ask for every page at each."""
    _prepare()
    from django.utils import timezone  # noqa: PLC0415 - set up by now

    from config.demo import volume  # noqa: PLC0415 - see above

    now = timezone.now()
    small = volume.load(SMALL, now=now)
    before = _measure()
    begun = time.monotonic()
    volume.load(LARGE - small, now=timezone.now())
    loaded = time.monotonic() - begun
    return list(_compare(before, _measure(), loaded_seconds=loaded))


def _prepare() -> None:
    database.ensure()
    from django.conf import settings  # noqa: PLC0415 - set up by now
    from django.core.management import call_command  # noqa: PLC0415 - see above

    settings.AXES_ENABLED = False
    call_command("seed_demo", verbosity=0)


def _measure() -> dict[str, Cost]:
    """Open each page as support does."""
    from django.contrib.auth.models import Group  # noqa: PLC0415 - set up by now
    from django.test import Client  # noqa: PLC0415 - see above

    from governance import roles  # noqa: PLC0415 - see above

    viewer = Group.objects.get(name=roles.SUPPORT).user_set.order_by("pk")[0]
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    return {name: _cost(client, path) for name, path in _pages().items()}


def _cost(client: object, path: str) -> Cost:
    from django.core.cache import cache  # noqa: PLC0415 - set up by now
    from django.db import connection  # noqa: PLC0415 - see above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - see above

    cache.clear()
    get = client.get  # type: ignore[attr-defined]  # django.test.Client
    answer = get(path)
    if answer.status_code != 200:
        raise AssertionError(f"{path} answered {answer.status_code}")
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        get(path)
    queries = len(captured)
    times = []
    for _ in range(ROUNDS):
        cache.clear()  # the page of metrics remembers for a moment; here each reading counts
        begin = time.perf_counter()
        get(path)
        times.append((time.perf_counter() - begin) * 1000)
    return Cost(queries=queries, milliseconds=statistics.median(times))


def _pages() -> Mapping[str, str]:
    """Return the pages to ask for, by name."""
    from django.urls import reverse  # noqa: PLC0415 - set up by now

    from delivery.models import Delivery, Event, FailureGroup  # noqa: PLC0415 - see above

    group = FailureGroup.objects.order_by("-open_count").select_related(
        "subscription__topic", "subscription__application"
    )[0]
    subscription, event = group.subscription, Event.objects.order_by("-pk")[0]
    delivery = Delivery.objects.filter(subscription=subscription).order_by("-pk")[0]
    search = reverse("delivery:event-list")
    return {
        "home": reverse("delivery:home"),
        "failures": reverse("delivery:failure-list"),
        "failure": reverse("delivery:failure-detail", args=[group.number]),
        "events": search,
        "events by id": f"{search}?id={event.event_id}",
        "events by subject": f"{search}?subject=L-7",
        "events by type": f"{search}?type={event.type.name}",
        "event": reverse("delivery:event-detail", args=[event.pk]),
        "delivery": reverse("delivery:delivery-detail", args=[delivery.pk]),
        "subscriptions": reverse("delivery:subscription-list"),
        "subscription": reverse("delivery:subscription-detail", args=[subscription.number]),
        "subscription traffic": reverse(
            "delivery:subscription-traffic", args=[subscription.number]
        ),
        "topic traffic": reverse("delivery:topic-traffic", args=[subscription.topic.name]),
        "application traffic": reverse(
            "delivery:application-traffic", args=[subscription.application.slug]
        ),
        "operations, a day": reverse("delivery:operations"),
        "operations, a week": f"{reverse('delivery:operations')}?period=7d",
        "operations, a month": f"{reverse('delivery:operations')}?period=30d",
        "replays": reverse("delivery:replay-list"),
        "search": f"{reverse('delivery:search')}?q=order",
        "metrics": "/metrics",
        "API: deliveries": "/api/v1/deliveries",
        "API: events": "/api/v1/events",
        "admin: deliveries": reverse("admin:delivery_delivery_changelist"),
        "admin: attempts": reverse("admin:delivery_attempt_changelist"),
    }


def _compare(
    before: Mapping[str, Cost], after: Mapping[str, Cost], *, loaded_seconds: float
) -> Iterator[Measurement]:
    yield Measurement(
        name="loading", value=(LARGE - SMALL) / loaded_seconds, unit="rows/s", detail="deliveries"
    )
    for name, old in before.items():
        new = after[name]
        sides = (
            f"{old.queries} → {new.queries} queries, "
            f"{old.milliseconds:.0f} → {new.milliseconds:.0f} ms"
        )
        yield Measurement(
            name=f"{name}: queries",
            value=new.queries - old.queries,
            unit="more",
            at_most=0,
            detail=sides,
        )
        is_fast = new.milliseconds <= UNNOTICED_MS
        yield Measurement(
            name=f"{name}: time",
            value=new.milliseconds / old.milliseconds,
            unit="times",
            at_most=None if is_fast else LARGEST_RATIO,
        )
