"""The data of one event, taken away by who may: gone everywhere, and everywhere said so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import User
from catalog.moves import IllegalMove
from delivery import claiming, expunging, feed, payloads, replay_checks
from delivery.models import (
    Attempt,
    DeadLetter,
    Delivery,
    Event,
    Expunction,
    Payload,
    QueueRow,
    ReplayItem,
    Subscription,
)
from delivery.models.deliveries import NEVER
from delivery.replay_checks import Refusal
from delivery.replay_selections import Candidate
from delivery.states import DeliveryMode, DeliveryStatus
from governance import roles, verification
from governance.actions import Action
from governance.models import LedgerEntry
from tests import factories
from tests.delivery.owing import make_events, make_world, owe
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db

NAME = "Ada Lovelace"
WHY = "She asked us to forget her."


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An event with somebody's name in it: delivered once, dead once, and owed still."""

    event: Event
    subscription: Subscription
    letter: DeadLetter
    owed: Delivery
    admin: User

    def expunge(self, *, by: User | None = None, reason: str = WHY) -> Expunction:
        return expunging.expunge(self.event, reason=reason, by=by or self.admin, now=timezone.now())


@pytest.fixture
def scene() -> Scene:
    subscription, version = make_world("http://127.0.0.1:9/")
    [event] = make_events(version)
    data = json.dumps({"order_id": "A-1", "amount": 1, "customer": NAME})
    Payload.objects.filter(pk=event.pk).update(data=data)
    delivery = factories.make_delivery(
        event, subscription=subscription, status="dead", ended_at=timezone.now()
    )
    Attempt.objects.create(
        delivery=delivery,
        subscription_id=subscription.pk,
        number=1,
        started_at=timezone.now(),
        duration_ms=3,
        outcome="failed",
        status_code=422,
        response_excerpt=f"no such customer: {NAME}",
    )
    letter = factories.make_letter(
        delivery, limit="permanent", status_code=422, message="no such customer", payload=data
    )
    other = factories.make_subscription(topic=subscription.topic)
    [owed] = owe(other, [event])
    return Scene(
        event=event,
        subscription=subscription,
        letter=letter,
        owed=Delivery.objects.get(pk=owed),
        admin=factories.make_admin(),
    )


def test_the_data_is_gone_everywhere_and_the_event_stays(scene: Scene) -> None:
    made = scene.expunge()
    assert str(made) == f"Expunged by {scene.admin} because: {WHY}"
    assert not Payload.objects.filter(pk=scene.event.pk).exists()
    assert not DeadLetter.objects.filter(payload__contains=NAME).exists()
    assert not Attempt.objects.filter(response_excerpt__contains=NAME).exists()
    assert Event.objects.filter(pk=scene.event.pk).exists()
    assert Attempt.objects.get().status_code == 422


def test_what_is_owed_of_it_ends_with_the_reason(scene: Scene) -> None:
    scene.expunge()
    assert not QueueRow.objects.exists()
    owed = Delivery.objects.get(pk=scene.owed.pk)
    assert owed.status == DeliveryStatus.DISCARDED
    assert WHY in owed.reason
    letter = DeadLetter.objects.get()
    assert letter.resolution == "Its data was expunged"
    letter.failure_group.refresh_from_db()
    assert letter.failure_group.state == "resolved"


def test_the_ledger_has_who_why_and_a_digest_but_not_a_word_of_it(scene: Scene) -> None:
    scene.expunge()
    entry = LedgerEntry.objects.get(action=Action.PAYLOAD_EXPUNGE)
    assert (entry.reason, entry.subject_id) == (WHY, str(scene.event.pk))
    assert entry.after == {"events": 1, "discarded": 1, "letters": 1}
    assert len(entry.before["data_sha256"]) == 64
    assert not LedgerEntry.objects.filter(after__icontains=NAME).exists()
    assert verification.verify() is None


def test_corrections_and_copies_lose_it_too(scene: Scene) -> None:
    [correction, bystander] = make_events(scene.event.version, 2)
    [copy] = make_events(scene.event.version, environment="staging")
    Event.objects.filter(pk=correction.pk).update(origin_id=scene.event.pk)
    Event.objects.filter(pk=copy.pk).update(origin_id=correction.pk)
    scene.expunge()
    assert list(Payload.objects.values_list("pk", flat=True)) == [bystander.pk]
    assert Expunction.objects.count() == 3


@pytest.mark.parametrize("role", [roles.SUPPORT, roles.REVIEWER, roles.CITIZEN])
def test_others_may_not(scene: Scene, role: str) -> None:
    person = factories.make_person(role=role, team=scene.event.application.team)
    with pytest.raises(PermissionDenied):
        scene.expunge(by=person)
    client = signed_in(person)
    page = reverse("delivery:event-expunge", args=[scene.event.pk])
    assert client.get(page).status_code == HTTPStatus.FORBIDDEN
    assert client.post(page, {"reason": WHY}).status_code == HTTPStatus.FORBIDDEN
    address = f"/api/v1/events/{scene.event.pk}/expunge"
    assert (
        client.post(address, {"reason": WHY}, "application/json").status_code
        == HTTPStatus.FORBIDDEN
    )
    assert "Expunge" not in text_of(client.get(f"/events/{scene.event.pk}/"))
    assert Payload.objects.filter(pk=scene.event.pk).exists()


def test_it_needs_a_reason_and_happens_once(scene: Scene) -> None:
    with pytest.raises(ValidationError):
        scene.expunge(reason="  ")
    assert Payload.objects.filter(pk=scene.event.pk).exists()
    scene.expunge()
    with pytest.raises(IllegalMove, match=WHY):
        scene.expunge(reason="Again.")


def test_the_page_says_what_goes_and_afterwards_who_and_why(scene: Scene) -> None:
    client = signed_in(scene.admin)
    life = reverse("delivery:event-detail", args=[scene.event.pk])
    page = reverse("delivery:event-expunge", args=[scene.event.pk])
    assert page in client.get(life).content.decode()
    asked = text_of(client.get(page))
    assert "1 open dead letter is closed." in asked
    assert "1 delivery that waits is discarded." in asked
    refused = client.post(page, {"reason": ""})
    assert refused.status_code == HTTPStatus.OK
    assert "Say why" in text_of(refused)
    assert client.post(page, {"reason": WHY}).status_code == HTTPStatus.FOUND
    for address in (life, reverse("delivery:delivery-detail", args=[scene.letter.delivery_id])):
        told = client.get(address)
        assert f"Expunged by {scene.admin} because: {WHY}" in text_of(told)
        assert NAME not in told.content.decode()
    assert page not in client.get(life).content.decode()
    late = client.post(page, {"reason": "What I typed for minutes."})
    assert late.status_code == HTTPStatus.CONFLICT
    assert "What I typed for minutes." in text_of(late)


def test_whoever_may_not_see_data_does_not_read_why_it_went(scene: Scene) -> None:
    scene.expunge()
    reviewer = factories.make_person(role=roles.REVIEWER)
    seen = payloads.seen_by(scene.event, viewer=reviewer)
    assert seen.is_hidden == (seen.expunction is None)


def test_the_api_takes_it_and_says_so(scene: Scene) -> None:
    client = signed_in(scene.admin)
    address = f"/api/v1/events/{scene.event.pk}"
    assert client.get(address).json()["expunged"] is None
    assert (
        client.post(f"{address}/expunge", {}, "application/json").status_code
        == HTTPStatus.UNPROCESSABLE_ENTITY
    )
    told = client.post(f"{address}/expunge", {"reason": WHY}, "application/json")
    assert told.status_code == HTTPStatus.OK
    for answer in (told, client.get(address)):
        body = answer.json()
        assert (body["payload"], body["expunged"]) == ("gone", str(Expunction.objects.get()))
        assert "data" not in body["envelope"]
    again = client.post(f"{address}/expunge", {"reason": WHY}, "application/json")
    assert again.status_code == HTTPStatus.CONFLICT
    missing = client.post(f"/api/v1/events/{uuid7()}/expunge", {"reason": WHY}, "application/json")
    assert missing.status_code == HTTPStatus.NOT_FOUND


def test_a_feed_hands_it_out_without_data_and_says_why(scene: Scene) -> None:
    reader = factories.make_subscription(topic=scene.subscription.topic, mode=DeliveryMode.PULL)
    owe(reader, [scene.event], due_at=NEVER)
    scene.expunge()
    account = reader.application.service_account
    [item] = feed.read(reader, by=account, now=timezone.now()).items
    told = json.loads(item.event)
    assert told["id"] == scene.event.event_id
    assert "data" not in told
    assert told["expunged"] == str(Expunction.objects.get())


def test_a_replay_leaves_it_out_and_says_why(scene: Scene) -> None:
    replay = factories.make_replay(scene.subscription)
    ReplayItem.objects.create(
        replay=replay, event_id=scene.event.pk, subscription=scene.subscription
    )
    scene.expunge()
    candidate = Candidate(scene.event.pk, scene.subscription.pk, scene.letter.delivery_id)
    assert replay_checks.refusals([candidate], now=timezone.now()) == [Refusal.EXPUNGED]
    page = signed_in(scene.admin).get(reverse("delivery:replay-detail", args=[replay.number]))
    assert WHY in text_of(page)


def test_a_worker_that_holds_it_cannot_settle_it_any_more(scene: Scene) -> None:
    now = timezone.now()
    wanted = claiming.Wanted(subscription_id=scene.owed.subscription_id, room=1, lease_seconds=60)
    [held] = claiming.claim([wanted], now=now)
    scene.expunge()
    claiming.release([held])
    assert not QueueRow.objects.exists()
    assert Delivery.objects.get(pk=scene.owed.pk).status == DeliveryStatus.DISCARDED


def test_a_stranger_learns_nothing_of_the_event(client: Client, scene: Scene) -> None:
    page = reverse("delivery:event-expunge", args=[scene.event.pk])
    assert client.get(page).status_code == HTTPStatus.FOUND
