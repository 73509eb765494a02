"""Who takes over: another subscription, while a circuit is open or after the tries are used up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from catalog.models import SchemaVersion, User
from delivery import claiming, retrying, settling, subscriptions
from delivery.dispatch import Engine
from delivery.models import DeadLetter, Delivery, QueueRow, Subscription
from delivery.states import DeliveryStatus, SkipReason
from delivery.transports import ErrorClass, TransportError
from governance.governed import governed
from tests import factories
from tests.asking import make_machine, pointers
from tests.delivery.engines import drain_until
from tests.delivery.owing import make_events, make_world, owe
from tests.delivery.receiver import Receiver, Reply
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db(transaction=True)

SKIPPED, DELIVERED = DeliveryStatus.SKIPPED, DeliveryStatus.DELIVERED


def make_pair(
    receiver: Receiver, *, first: dict[str, object], second: dict[str, object] | None = None
) -> tuple[Subscription, Subscription, SchemaVersion]:
    """Return a subscription to /hook, who stands in for it at /stand-in, and a version."""
    subscription, version = make_world(receiver.url("/hook"), **first)
    stand_in = factories.make_subscription(
        subscription.application,
        topic=subscription.topic,
        url=receiver.url("/stand-in"),
        name="The stand-in",
        **(second or {}),  # type: ignore[arg-type]  # columns by name
    )
    set_stand_in(subscription, stand_in)
    return subscription, stand_in, version


def set_stand_in(subscription: Subscription, stand_in: Subscription) -> None:
    with governed(by=None, now=timezone.now()):
        subscription.fallback_subscription = stand_in
        subscription.save()


def nothing_waits() -> bool:
    return not QueueRow.objects.exists()


def ends(subscription: Subscription) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for end in Delivery.objects.filter(subscription=subscription).values_list("status", "reason"):
        found[end] = found.get(end, 0) + 1
    return found


def only_hook_fails(receiver: Receiver, status: int) -> None:
    receiver.reply = lambda got, _before: Reply(status=status if got.path == "/hook" else 200)


def test_it_takes_over_while_the_circuit_is_open(engine: Engine, receiver: Receiver) -> None:
    only_hook_fails(receiver, 500)
    subscription, stand_in, version = make_pair(
        receiver, first={"concurrency": 1, "retry_waits_seconds": [3600, 3600]}
    )
    events = make_events(version, 60)
    owe(subscription, events)
    drain_until(engine, lambda: not QueueRow.objects.filter(attempts=0).exists())
    tried = QueueRow.objects.filter(subscription_id=subscription.pk).count()
    handed = len(events) - tried
    assert handed >= 40
    assert ends(subscription)[(SKIPPED, SkipReason.HANDED_OVER)] == handed
    assert ends(stand_in) == {(DELIVERED, ""): handed}
    assert sum(receiver.ids("/stand-in").values()) == handed
    links = Delivery.objects.filter(subscription=stand_in).values_list("repeats_id", flat=True)
    firsts = set(Delivery.objects.filter(subscription=subscription).values_list("pk", flat=True))
    assert set(links) <= firsts


@pytest.mark.parametrize("wants", [{}, {"batching": "batches", "batch_max_events": 2}])
def test_it_gets_what_was_given_up_and_its_own_tries(
    engine: Engine, receiver: Receiver, wants: dict[str, object]
) -> None:
    receiver.reply = lambda got, _before: Reply(status=422 if got.path == "/hook" else 413)
    subscription, stand_in, version = make_pair(receiver, first=wants)
    owe(subscription, make_events(version, 2))
    drain_until(engine, nothing_waits)
    assert ends(subscription) == {(SKIPPED, SkipReason.HANDED_OVER): 2}
    letters = DeadLetter.objects.values_list("subscription_id", flat=True)
    assert list(letters) == [stand_in.pk] * 2  # it died there, and is seen there


def test_who_has_the_event_already_gets_it_once(engine: Engine, receiver: Receiver) -> None:
    only_hook_fails(receiver, 422)
    subscription, stand_in, version = make_pair(receiver, first={})
    events = make_events(version, 2)
    owe(stand_in, events[:1])
    owe(subscription, events)
    drain_until(engine, nothing_waits)
    assert set(receiver.ids("/stand-in").values()) == {1}
    assert ends(stand_in) == {(DELIVERED, ""): 2}


def test_its_order_and_its_batches_are_its_own(engine: Engine, receiver: Receiver) -> None:
    only_hook_fails(receiver, 422)
    subscription, stand_in, version = make_pair(
        receiver,
        first={},
        second={"is_ordered": True, "batching": "batches", "batch_max_events": 2},
    )
    events = make_events(version, 2)
    for event in events:
        event.partition_key = "k"
        event.save(update_fields=["partition_key"])
    owe(subscription, events)
    drain_until(engine, nothing_waits)
    assert len(receiver.ids("/stand-in")) == 1
    assert ends(stand_in) == {(DELIVERED, ""): 2}


def pause(one: Subscription) -> None:
    subscriptions.pause(one, by=factories.make_admin(), now=timezone.now())


def stand_elsewhere(one: Subscription) -> None:
    assert one.endpoint is not None
    us = factories.make_region("us", name="United States")
    with governed(by=None, now=timezone.now()):
        one.endpoint.region = us
        one.endpoint.save()


def have_a_stand_in(one: Subscription) -> None:
    set_stand_in(one, Subscription.objects.exclude(pk=one.pk).get())


@pytest.mark.parametrize("spoil", [pause, stand_elsewhere, have_a_stand_in])
def test_one_that_cannot_take_it_now_gets_nothing(
    engine: Engine, receiver: Receiver, spoil: Callable[[Subscription], None]
) -> None:
    only_hook_fails(receiver, 422)
    subscription, stand_in, version = make_pair(receiver, first={})
    spoil(stand_in)
    owe(subscription, make_events(version, 2))
    drain_until(engine, nothing_waits)
    assert receiver.ids("/stand-in") == {}
    assert ends(subscription) == {(DeliveryStatus.DEAD, "permanent"): 2}


def test_a_replay_goes_where_it_was_ordered_to(engine: Engine, receiver: Receiver) -> None:
    only_hook_fails(receiver, 422)
    subscription, stand_in, version = make_pair(receiver, first={})
    owe(subscription, make_events(version))
    QueueRow.objects.update(is_replay=True)
    drain_until(engine, nothing_waits)
    assert ends(subscription) == {(DeliveryStatus.DEAD, "permanent"): 1}
    assert ends(stand_in) == {}


def test_whose_lease_is_over_hands_nothing_over(receiver: Receiver) -> None:
    subscription, stand_in, version = make_pair(receiver, first={})
    owe(subscription, make_events(version))
    now = timezone.now()
    [owed] = claiming.claim(
        [claiming.Wanted(subscription_id=subscription.pk, room=1, lease_seconds=30)], now=now
    )
    QueueRow.objects.update(lease=None)  # another one took it back meanwhile
    tried = settling.Tried(
        owed=owed,
        policy=retrying.RetryPolicy(),
        url=receiver.url("/hook"),
        started_at=now,
        ended_at=now,
        answer=TransportError(
            "No.", error_class=ErrorClass.HTTP_STATUS, status=422, permanent=True
        ),
        stand_in=stand_in.pk,
    )
    assert settling.settle([tried], now=now).lost == 1
    assert ends(stand_in) == {}


def change(subscription: Subscription, by: User, **wishes: object) -> Subscription:
    return subscriptions.change(
        subscription,
        by=by,
        now=timezone.now(),
        **wishes,  # type: ignore[arg-type]  # wishes of a test
    )


def test_only_a_webhook_of_the_same_team_topic_and_region_may_stand_in(
    receiver: Receiver, settings: LazySettings
) -> None:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    subscription, stand_in, _version = make_pair(receiver, first={})
    admin = factories.make_admin()
    change(subscription, admin, fallback_subscription=None)
    topic, application = subscription.topic, subscription.application
    abroad = factories.make_subscription(application, topic=topic)
    stand_elsewhere(abroad)
    narrow = factories.make_subscription(
        application, topic=topic, event_types=["com.acme.sales.order.paid"]
    )
    for other in (
        subscription,
        factories.make_subscription(topic=topic),  # another team's
        factories.make_subscription(application),  # of another topic
        factories.make_subscription(application, topic=topic, environment="staging"),
        abroad,
        narrow,
    ):
        with pytest.raises(ValidationError) as refused:
            change(subscription, admin, fallback_subscription=other.pk)
        assert set(refused.value.message_dict) == {"fallback_subscription"}
    both = {"fallback_subscription": stand_in.pk, "fallback_url": "https://93.184.216.34/x"}
    with pytest.raises(ValidationError, match="not both"):
        change(subscription, admin, **both)
    changed = change(subscription, admin, fallback_subscription=stand_in.pk)
    assert changed.fallback_subscription_id == stand_in.pk
    with pytest.raises(ValidationError, match="stands in for another"):
        change(stand_in, admin, fallback_subscription=factories.make_subscription(
            application, topic=topic
        ).pk)  # fmt: skip


def test_the_database_knows_one_fallback_at_most(receiver: Receiver) -> None:
    subscription, _stand_in, _version = make_pair(receiver, first={})
    rows = Subscription.objects.filter(pk=subscription.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(fallback_endpoint=subscription.endpoint)


def test_the_page_lets_the_owner_choose_one_and_says_who_stands_in(receiver: Receiver) -> None:
    subscription, stand_in, version = make_pair(receiver, first={})
    owner = factories.make_person("ada", team=subscription.application.team)
    strange = factories.make_subscription(topic=subscription.topic, name="Not theirs")
    page = signed_in(owner)
    edit = reverse("delivery:subscription-edit", args=[subscription.number])
    form = text_of(page.get(edit))
    assert "The stand-in" in form
    assert strange.name not in form
    detail = reverse("delivery:subscription-detail", args=[subscription.number])
    assert "takes over while the circuit is open" in text_of(page.get(detail))
    other = reverse("delivery:subscription-detail", args=[stand_in.number])
    assert "Stands in for" in text_of(page.get(other))

    [event] = make_events(version)
    [first] = owe(subscription, [event])
    Delivery.objects.filter(pk=first).update(
        status=SKIPPED, reason=SkipReason.HANDED_OVER, ended_at=timezone.now()
    )
    [second] = owe(stand_in, [event])
    Delivery.objects.filter(pk=second).update(repeats_id=first)
    told = page.get(reverse("delivery:event-detail", args=[event.pk]))
    assert "handed to the subscription that stands in" in text_of(told)
    there = page.get(reverse("delivery:delivery-detail", args=[first])).content.decode()
    assert reverse("delivery:delivery-detail", args=[second]) in there


def test_the_form_sets_it_and_takes_it_off(receiver: Receiver) -> None:
    subscription, stand_in, _version = make_pair(receiver, first={})
    page = signed_in(factories.make_admin())
    edit = reverse("delivery:subscription-edit", args=[subscription.number])
    given = {
        name: "" if value is None else value
        for name, value in page.get(edit).context["form"].initial.items()
        if value is not False
    }
    given |= {"endpoint_url": "https://93.184.216.34/hook", "reason": "a test"}
    page.post(edit, {**given, "fallback_subscription": ""})
    subscription.refresh_from_db()
    assert subscription.fallback_subscription is None
    page.post(edit, {**given, "fallback_subscription": str(stand_in.pk)})
    subscription.refresh_from_db()
    assert subscription.fallback_subscription == stand_in


def test_the_api_tells_and_sets_it_and_strangers_cannot(receiver: Receiver) -> None:
    subscription, stand_in, _version = make_pair(receiver, first={})
    machine = make_machine(subscription.application)
    path = f"subscriptions/{subscription.pk}"
    assert machine.get(path).json()["fallback_subscription"] == str(stand_in.pk)
    assert machine.get(f"subscriptions/{stand_in.pk}").json()["fallback_subscription"] is None
    theirs = factories.make_subscription(topic=subscription.topic)
    stranger = make_machine(theirs.application)
    assert stranger.patch(path, {"fallback_subscription": str(theirs.pk)}).status_code == 404
    answer = machine.patch(path, {"fallback_subscription": str(theirs.pk)})
    assert (answer.status_code, pointers(answer) >= {"/fallback_subscription"}) == (422, True)
    with pytest.raises(PermissionDenied):
        change(subscription, factories.make_person("eve"), fallback_subscription=None)
