"""Much traffic for measuring: as much as was asked for, and rows as the engine leaves them."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client
from django.urls import reverse

from delivery.models import Attempt, DeadLetter, Delivery, Event, FailureGroup, Payload, Rollup
from delivery.models.counts import Grain
from governance import roles
from tests import factories
from tests.visitors import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Client:
    topic = factories.make_topic()
    factories.make_version(event_type=factories.make_event_type(topic=topic))
    for _ in range(2):
        factories.make_subscription(topic=topic)
    call_command("load_history", deliveries=3000, days=2, stdout=StringIO())
    return signed_in(factories.make_person(role=roles.SUPPORT))


def test_rows_fit_together_and_are_counted(support: Client) -> None:
    assert Delivery.objects.count() == 3000
    assert Event.objects.count() == Payload.objects.count() == 1500
    dead = Delivery.objects.filter(status="dead")
    assert DeadLetter.objects.count() == dead.count() > 0
    assert sum(FailureGroup.objects.values_list("open_count", flat=True)) == dead.count()
    delivered = Delivery.objects.filter(status="delivered").count()
    assert Attempt.objects.filter(outcome="delivered").count() == delivered
    rolled = Rollup.objects.filter(grain=Grain.DAY).aggregate(
        delivered=Sum("delivered"), published=Sum("published"), dead=Sum("dead")
    )
    # The newest seconds are counted by the next run, as always.
    assert 0 <= 1500 - rolled["published"] <= 5
    assert 0 <= delivered - rolled["delivered"] <= 10


def test_pages_read_them(support: Client) -> None:
    event, delivery = Event.objects.order_by("pk")[0], Delivery.objects.filter(status="dead")[0]
    group = delivery.failure_group
    assert group is not None
    for page in (
        reverse("delivery:event-detail", args=[event.pk]),
        reverse("delivery:delivery-detail", args=[delivery.pk]),
        reverse("delivery:failure-detail", args=[group.number]),
        reverse("delivery:operations"),
    ):
        assert support.get(page).status_code == 200


def test_empty_portal_is_told_what_is_missing() -> None:
    with pytest.raises(CommandError, match="make the demo first"):
        call_command("load_history", deliveries=10)


@pytest.mark.parametrize("wrong", [{"deliveries": 0}, {"days": 0}, {"days": 400}])
def test_nonsense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(CommandError, match="at least one"):
        call_command("load_history", **wrong)
