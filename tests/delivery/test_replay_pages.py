"""Replays in the browser: a preview that sends nothing, the order, its progress, and its end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from delivery.models import Delivery, Event, Replay, ReplayItem, Subscription
from delivery.states import DeliveryStatus
from governance import roles
from tests import factories
from tests.delivery.owing import make_events
from tests.visitors import must_sign_in, signed_in, statuses, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("delivery:replay-list")
NEW = reverse("delivery:replay-new")
CHOOSE = reverse("delivery:replay-choose")
MOST_QUERIES = 36


@pytest.fixture
def support() -> Client:
    return signed_in(factories.make_person("sue", role=roles.SUPPORT))


def make_dead(count: int = 1) -> list[Delivery]:
    """Return dead deliveries of one subscription."""
    first = factories.make_delivery(status=DeliveryStatus.DEAD, ended_at=timezone.now())
    others = [
        factories.make_delivery(
            factories.make_event(event_type=first.event.type, environment=first.environment),
            subscription=first.subscription,
            status=DeliveryStatus.DEAD,
            ended_at=timezone.now(),
        )
        for _ in range(count - 1)
    ]
    return [first, *others]


def page_of(replay: Replay) -> str:
    return reverse("delivery:replay-detail", args=[replay.number])


def act(client: Client, replay: Replay, verb: str) -> int:
    return client.post(reverse("delivery:replay-act", args=[replay.number, verb])).status_code


def test_replays_are_shown_to_those_whom_they_concern(support: Client) -> None:
    subscription = factories.make_subscription()
    replay = factories.make_replay(subscription)
    stranger = signed_in(factories.make_person("charlie"))
    owner = signed_in(factories.make_person("alice", team=subscription.application.team))
    assert must_sign_in(LIST)
    assert must_sign_in(NEW)
    assert must_sign_in(page_of(replay))
    assert statuses(stranger, [LIST, page_of(replay)]) == {LIST: 200, page_of(replay): 404}
    assert page_of(replay) not in text_of(stranger.get(LIST))
    for client in (support, owner):
        assert page_of(replay) in text_of(client.get(LIST))
        assert client.get(page_of(replay)).status_code == 200


def test_preview_counts_and_sends_nothing(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dead = make_dead(8)
    with django_assert_max_num_queries(MOST_QUERIES):
        answer = support.get(NEW, {"delivery": [str(one.pk) for one in dead]})
    assert answer.context["preview"].will_send == 8
    assert "Replay 8 events?" in text_of(answer)
    assert not Replay.objects.exists()


def test_failure_is_replayed_as_a_whole(support: Client) -> None:
    group = factories.make_failure_group()
    event_type = factories.make_event_type(topic=group.subscription.topic)
    for _ in range(3):
        factories.make_delivery(
            factories.make_event(event_type=event_type),
            subscription=group.subscription,
            status=DeliveryStatus.DEAD,
            failure_group=group,
            ended_at=timezone.now(),
        )
    data = {"failure": group.number, "reason": "The address was mended.", "one_first": "on"}
    answer = support.post(NEW, data)
    replay = Replay.objects.get()
    assert answer["Location"] == page_of(replay)
    assert (replay.matched, replay.reason) == (3, "The address was mended.")
    assert replay.selection["one_first"] is True


def test_order_needs_a_reason(support: Client) -> None:
    [dead] = make_dead()
    answer = support.post(NEW, {"delivery": str(dead.pk), "reason": ""})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Replay.objects.exists()


def test_replay_stays_in_the_world_of_its_deliveries(support: Client) -> None:
    event = factories.make_event(environment="staging")
    staged = factories.make_delivery(event, status=DeliveryStatus.DEAD, ended_at=timezone.now())
    data = {"delivery": str(staged.pk), "reason": "Again."}
    support.post(f"{NEW}?environment=production", data)
    assert Replay.objects.get().environment == "staging"


def test_nothing_chosen_and_nonsense_are_answered_kindly(support: Client) -> None:
    assert support.get(NEW)["Location"].startswith(CHOOSE)
    assert support.get(NEW, {"delivery": "x"}).status_code == 404
    for number in ("999999", "²", "9" * 5000):
        assert support.get(NEW, {"failure": number}).status_code == 404


def test_stranger_cannot_replay_what_they_cannot_see() -> None:
    [dead] = make_dead()
    stranger = signed_in(factories.make_person("charlie", team=factories.make_team("strangers")))
    answer = stranger.post(NEW, {"delivery": str(dead.pk), "reason": "Mine?"})
    assert answer.status_code in (200, 403)
    assert not Replay.objects.exists()


def test_progress_is_counted_and_listed(
    support: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dead = make_dead(6)
    support.post(NEW, {"delivery": [str(one.pk) for one in dead], "reason": "Mended."})
    replay = Replay.objects.get()
    ReplayItem.objects.filter(replay=replay, event_id=dead[0].event_id).update(
        delivery_id=dead[0].pk, result="delivered", ended_at=timezone.now()
    )
    with django_assert_max_num_queries(MOST_QUERIES):
        answer = support.get(page_of(replay))
    assert "1 of 6 done: 1 arrived" in text_of(answer)
    assert 'id="replay" data-live=' in text_of(answer)
    Replay.objects.filter(pk=replay.pk).update(state="done")
    assert "data-live" not in text_of(support.get(page_of(replay)))


def test_replay_is_paused_resumed_and_cancelled(support: Client) -> None:
    replay = factories.make_replay()
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert act(support, replay, verb) == 302
        replay.refresh_from_db()
        assert replay.state == state
    assert act(support, replay, "pause") == 409


def test_large_replay_waits_for_a_second_person(settings: LazySettings, support: Client) -> None:
    settings.DELIVERY_REPLAY_APPROVAL_ABOVE = 1
    dead = make_dead(2)
    admin = signed_in(factories.make_admin())
    admin.post(NEW, {"delivery": [str(one.pk) for one in dead], "reason": "Mended."})
    replay = Replay.objects.get()
    assert replay.state == "awaiting_approval"
    assert act(admin, replay, "approve") == 403
    assert act(support, replay, "approve") == 403
    assert "Approve replay" in text_of(signed_in(factories.make_admin()).get(page_of(replay)))
    assert act(signed_in(factories.make_admin()), replay, "approve") == 302
    replay.refresh_from_db()
    assert replay.state == "queued"


def test_button_pressed_twice_replays_once(support: Client) -> None:
    [dead] = make_dead(1)
    data = {"delivery": str(dead.pk), "reason": "Mended."}
    assert support.post(NEW, data).status_code == 302
    again = support.post(NEW, data)
    assert Replay.objects.count() == 1
    assert f"R-{Replay.objects.get().number} replays these already." in text_of(again)


# A part of the past


def make_past(count: int = 3) -> tuple[Subscription, list[Event]]:
    """Return a subscription that was connected after so many events of its topic."""
    topic = factories.make_topic()
    version = factories.make_version(event_type=factories.make_event_type(topic=topic))
    events = make_events(version, count)
    return factories.make_subscription(topic=topic, name="Newcomer"), events


def asked(to: Subscription, what: str, **more: str | int) -> dict[str, str | int]:
    since = timezone.localtime() - timedelta(hours=2)
    return {"to": to.number, "what": what, "since": f"{since:%Y-%m-%dT%H:%M}", **more}


def test_history_is_sent_to_a_new_subscription(support: Client) -> None:
    newcomer, events = make_past()
    answer = support.get(CHOOSE, asked(newcomer, "lacked"))
    preview = support.get(answer["Location"])
    assert preview.context["preview"].will_send == 3
    assert newcomer.topic.name in text_of(preview)
    kept = dict(preview.context["kept"])
    done = support.post(NEW, {**kept, "reason": "It starts with all orders of today."})
    replay = Replay.objects.get()
    assert done["Location"] == page_of(replay)
    assert set(replay.items.values_list("event_id", flat=True)) == {one.pk for one in events}
    assert replay.subscription == newcomer
    assert "Every event of" in text_of(support.get(page_of(replay)))


def test_never_tried_leaves_out_what_was_tried_or_decided(support: Client) -> None:
    newcomer, events = make_past(5)
    for event, status in zip(events, ("dead", "delivered", "discarded", "skipped"), strict=False):
        factories.make_delivery(
            event, subscription=newcomer, status=status, ended_at=timezone.now(), reason="no_grant"
        )
    preview = support.get(NEW, asked(newcomer, "never")).context["preview"]
    assert (preview.matched, preview.will_send) == (2, 2)  # the skipped one and the untouched one
    lacked = support.get(NEW, asked(newcomer, "lacked")).context["preview"]
    assert (lacked.matched, lacked.arrived) == (5, 1)


def test_what_arrived_is_sent_once_more_when_asked_for(support: Client) -> None:
    newcomer, events = make_past(2)
    for event in events:
        factories.make_delivery(
            event, subscription=newcomer, status="delivered", ended_at=timezone.now()
        )
    answer = support.get(NEW, asked(newcomer, "delivered"))
    assert answer.context["preview"].will_send == 2
    assert "may do its work twice" in text_of(answer)
    Subscription.objects.filter(pk=newcomer.pk).update(is_idempotent=True)
    told = text_of(support.get(NEW, asked(newcomer, "delivered")))
    assert "may do its work twice" not in told


def test_preview_reckons_at_the_pace_that_was_typed_and_orders_nothing(support: Client) -> None:
    newcomer, _events = make_past(4)
    typed = {"reason": "Typed already.", "rate": "2", "one_first": "on", "preview": "1"}
    answer = support.post(NEW, {**asked(newcomer, "lacked"), **typed})
    assert answer.context["preview"].seconds == 2
    assert "Typed already." in text_of(answer)
    assert "checked" in text_of(answer)
    assert not Replay.objects.exists()
    unsaid = support.post(NEW, {**asked(newcomer, "lacked"), "rate": "1", "preview": "1"})
    assert unsaid.context["preview"].seconds == 4
    assert not unsaid.context["form"].errors


def test_preview_names_what_is_left_out(support: Client) -> None:
    newcomer, events = make_past(2)
    factories.make_delivery(
        events[0], subscription=newcomer, status="delivered", ended_at=timezone.now()
    )
    answer = support.get(NEW, asked(newcomer, "lacked"))
    assert [pk for pk, _why in answer.context["left_out"]] == [events[0].pk]
    assert reverse("delivery:event-detail", args=[events[0].pk]) in text_of(answer)


def test_dead_letters_of_one_go_to_another_of_the_same_topic(support: Client) -> None:
    [dead] = make_dead()
    other = factories.make_subscription(topic=dead.subscription.topic, name="Instead")
    found = support.get(NEW, asked(other, "dead", source=dead.subscription.number))
    assert [one.name for one, _count in found.context["preview"].to] == ["Instead"]
    elsewhere = factories.make_subscription()
    wrong = support.get(CHOOSE, asked(elsewhere, "dead", source=dead.subscription.number))
    assert "of another topic" in text_of(wrong)


def test_chosen_deliveries_may_go_elsewhere(support: Client) -> None:
    [dead] = make_dead()
    other = factories.make_subscription(topic=dead.subscription.topic, name="Instead")
    chosen: dict[str, str | int] = {"delivery": str(dead.pk), "to": other.number}
    assert support.get(NEW, chosen).context["preview"].to[0][0] == other
    support.post(NEW, {**chosen, "reason": "The old one is gone."})
    assert Replay.objects.get().subscription == other


def test_target_that_one_may_not_send_to_is_refused_and_nothing_goes_astray() -> None:
    [dead] = make_dead()
    owner = signed_in(factories.make_person(team=dead.subscription.application.team))
    foreign = factories.make_subscription(topic=dead.subscription.topic)
    chosen = {"delivery": str(dead.pk), "to": foreign.number, "reason": "Mine?"}
    answer = owner.post(NEW, chosen)
    assert answer.status_code == 200
    assert "Nothing can be sent to that subscription by you" in text_of(answer)
    assert foreign.name not in text_of(owner.get(CHOOSE))
    assert not Replay.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "999999"},
        {"to": "x"},
        {"to": "9" * 5000},
        {"what": "nonsense"},
        {"since": "yesterday"},
        {"until": "2001-01-01T00:00"},
        {"source": "0"},
        {"event_type": "no.such.type"},
    ],
)
def test_what_does_not_fit_is_said_and_what_was_typed_stays(
    support: Client, wrong: dict[str, str]
) -> None:
    newcomer, _events = make_past(1)
    answer = support.get(CHOOSE, {**asked(newcomer, "lacked"), **wrong})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert support.get(NEW, {**asked(newcomer, "lacked"), **wrong}).status_code == 302


def test_reviewer_who_may_not_replay_is_shown_nothing_to_choose() -> None:
    newcomer, _events = make_past(1)
    reviewer = signed_in(factories.make_person(role=roles.REVIEWER))
    assert newcomer.name not in text_of(reviewer.get(CHOOSE))
    assert reviewer.post(NEW, {**asked(newcomer, "lacked"), "reason": "x"}).status_code == 302
    assert not Replay.objects.exists()


def test_second_person_sees_what_they_approve(support: Client, settings: LazySettings) -> None:
    settings.DELIVERY_REPLAY_APPROVAL_ABOVE = 2
    newcomer, _events = make_past(3)
    support.post(NEW, {**asked(newcomer, "lacked"), "reason": "All of today."})
    replay = Replay.objects.get()
    assert replay.state == "awaiting_approval"
    admin = signed_in(factories.make_admin())
    shown = text_of(admin.get(page_of(replay)))
    assert "Approve replay" in shown
    assert newcomer.name in shown
    assert "Approve replay" not in text_of(support.get(page_of(replay)))
    assert act(support, replay, "approve") == 403
    assert act(admin, replay, "approve") == 302
    replay.refresh_from_db()
    assert replay.state == "queued"
