"""Support mends failures in the Django admin as in the portal: the same verbs, the same record."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from catalog.models import User
from delivery.models import Delivery, FailureGroup, Payload, Replay, Subscription
from delivery.states import DeliveryStatus, FailureGroupState, SubscriptionState
from governance import roles
from governance.models import LedgerEntry
from tests.administration import list_url, make_dead_letter, make_staff, page_url, sign_in
from tests.factories import make_failure_group, make_subscription

pytestmark = pytest.mark.django_db

REPLAY = {"reason": "The sheet has room again.", "rate": "", "confirmed": "yes"}


@pytest.fixture
def support() -> User:
    return make_staff(roles.SUPPORT)


@pytest.fixture
def desk(client: Client, support: User) -> Client:
    return sign_in(client, support)


def act(client: Client, name: str, *rows: Any, **values: object) -> Any:
    """Choose an action for rows in their list, as the browser does."""
    data = {"action": name, "_selected_action": [str(row.pk) for row in rows], **values}
    return client.post(list_url(type(rows[0])), data)


def said(response: Any) -> str:
    return " ".join(str(one) for one in get_messages(response.wsgi_request))


def last_entry() -> LedgerEntry:
    found = LedgerEntry.objects.first()
    assert found is not None
    return found


def test_dead_letter_shows_every_try_with_code_time_and_answer(desk: Client) -> None:
    page = desk.get(page_url(make_dead_letter())).content.decode()
    for words in ("41 ms", "42 ms", "500", "the sheet is full", "A-1001"):
        assert words in page


def test_delivery_lists_its_attempts(desk: Client) -> None:
    letter = make_dead_letter()
    page = desk.get(page_url(Delivery.objects.get(pk=letter.pk))).content.decode()
    assert "the sheet is full" in page


def test_personal_fields_are_masked_for_support(desk: Client) -> None:
    letter = make_dead_letter()
    payload = Payload.objects.get(event_id=letter.event_id)
    for row in (letter, payload):
        page = desk.get(page_url(row)).content.decode()
        assert "A-1001" in page
        assert "ada@example.com" not in page


def test_personal_fields_are_readable_for_admins(client: Client) -> None:
    sign_in(client, make_staff(roles.ADMIN))
    assert "ada@example.com" in client.get(page_url(make_dead_letter())).content.decode()


def test_replay_asks_for_a_reason_and_says_what_would_be_sent(desk: Client) -> None:
    page = act(desk, "replay", make_dead_letter()).content.decode()
    assert "Would be sent" in page
    assert "Reason" in page
    assert not Replay.objects.exists()


def test_replay_without_a_reason_is_asked_again(desk: Client) -> None:
    page = act(desk, "replay", make_dead_letter(), confirmed="yes", reason="").content.decode()
    assert "This field is required." in page
    assert not Replay.objects.exists()


def test_dead_letters_are_replayed(desk: Client, support: User) -> None:
    letters = [make_dead_letter(), make_dead_letter()]
    response = act(desk, "replay", *letters, **REPLAY)
    replay = Replay.objects.get()
    assert (replay.requested_by, replay.reason) == (support, REPLAY["reason"])
    assert {one.repeats_id for one in replay.items.all()} == {one.pk for one in letters}
    assert (response.status_code, f"R-{replay.number}" in said(response)) == (302, True)
    assert last_entry().action == "replay:start"


def test_failure_group_is_replayed_from_its_page(desk: Client) -> None:
    letter = make_dead_letter()
    response = act(desk, "replay", letter.failure_group, from_page="yes", **REPLAY)
    assert response["Location"] == page_url(letter.failure_group)
    assert Replay.objects.get().matched == 1


def test_discarding_keeps_the_reason(desk: Client) -> None:
    letter = make_dead_letter()
    act(desk, "discard", letter, reason="A test order.", confirmed="yes")
    delivery = Delivery.objects.get(pk=letter.pk)
    assert (delivery.status, delivery.reason) == (DeliveryStatus.DISCARDED, "A test order.")


def test_second_discard_is_a_message_and_not_an_error(desk: Client) -> None:
    letter = make_dead_letter()
    for _round in range(2):
        response = act(desk, "discard", letter, reason="A test order.", confirmed="yes")
    assert response.status_code == 302
    assert "ended in another way" in said(response)


def test_support_takes_and_resolves_a_failure(desk: Client, support: User) -> None:
    group = make_failure_group()
    act(desk, "take", group)
    assert FailureGroup.objects.get().assignee == support
    act(desk, "resolve", group, how="Emptied the sheet.", confirmed="yes")
    group.refresh_from_db()
    assert (group.state, group.resolution) == (FailureGroupState.RESOLVED, "Emptied the sheet.")


def test_resolved_failure_cannot_be_taken(desk: Client) -> None:
    group = make_failure_group()
    act(desk, "resolve", group, how="Emptied the sheet.", confirmed="yes")
    assert "resolved" in said(act(desk, "take", group))


def test_subscription_is_paused_and_resumed(desk: Client) -> None:
    subscription = make_subscription()
    act(desk, "pause", subscription, reason="Moving house.", confirmed="yes")
    assert Subscription.objects.get().state == SubscriptionState.PAUSED
    act(desk, "resume", subscription, reason="Moved.", confirmed="yes")
    assert Subscription.objects.get().state == SubscriptionState.ACTIVE
    assert last_entry().reason == "Moved."


def test_support_does_not_end_subscriptions(desk: Client) -> None:
    subscription = make_subscription()
    act(desk, "end", subscription, reason="Old.", confirmed="yes")
    assert Subscription.objects.get().ended_at is None


def test_secrets_stay_sealed(client: Client) -> None:
    sign_in(client, make_staff(roles.ADMIN))
    subscription = make_subscription()
    assert subscription.endpoint is not None
    page = client.get(page_url(subscription.endpoint)).content.decode()
    assert "sealed" not in page
