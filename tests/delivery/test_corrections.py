"""Edit and replay: a mended event takes the place of one that could not be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.models import User
from catalog.schemas import MASK
from delivery import corrections, lives
from delivery.corrections import Audience, Draft
from delivery.models import DeadLetter, Delivery, Event, FailureGroup, Payload, QueueRow
from delivery.states import DeliveryStatus
from governance import grants, roles
from governance.models import LedgerEntry
from tests import factories
from tests.asking import person, pointers
from tests.delivery.publishers import Shop, make_shop
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db

STORED = {"order_id": "A-1001", "amount": 59.9, "email": "ada@example.com"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A published event with a dead delivery at one subscription, and one that arrived."""

    shop: Shop
    event: Event
    dead: Delivery
    arrived: Delivery


@pytest.fixture
def support() -> User:
    return factories.make_person(role=roles.SUPPORT)


@pytest.fixture
def case() -> Case:
    shop = make_shop()
    lacks = factories.make_subscription(topic=shop.topic, name="Lacks it")
    factories.make_subscription(topic=shop.topic, name="Has it")
    sent = shop.publish(shop.envelope(data=STORED, subject="A-1001"))
    event = Event.objects.get(event_id=sent.id)
    dead = Delivery.objects.get(event=event, subscription=lacks)
    arrived = Delivery.objects.exclude(subscription=lacks).get(event=event)
    now = timezone.now()
    group = factories.make_failure_group(lacks)
    Delivery.objects.filter(pk=dead.pk).update(
        status=DeliveryStatus.DEAD, ended_at=now, failure_group=group
    )
    Delivery.objects.filter(pk=arrived.pk).update(status=DeliveryStatus.DELIVERED, ended_at=now)
    QueueRow.objects.all().delete()
    factories.make_letter(
        dead,
        group=group,
        limit="permanent",
        status_code=422,
        message="unknown order",
        payload=json.dumps(STORED),
    )
    return Case(shop=shop, event=event, dead=dead, arrived=arrived)


def draft(data: object = None, **fields: object) -> Draft:
    mended = {**STORED, "email": MASK, "order_id": "B-2002"} if data is None else data
    return Draft(text=json.dumps(mended), subject="A-1001", **fields)  # type: ignore[arg-type]


def correct(case: Case, by: User, wish: Draft | None = None, reason: str = "A typo.") -> Event:
    return corrections.correct(
        case.event, wish or draft(), reason=reason, by=by, now=timezone.now()
    )


def data_of(event: Event) -> Mapping[str, object]:
    found: dict[str, object] = json.loads(Payload.objects.get(event_id=event.pk).data)
    return found


def faults(case: Case, by: User, wish: Draft) -> dict[str, str]:
    return dict(corrections.outlook(case.event, wish, by=by, now=timezone.now()).faults)


def test_correction_is_a_new_event_that_names_the_old_one(case: Case, support: User) -> None:
    made = correct(case, support)
    assert made.pk != case.event.pk
    assert made.event_id != case.event.event_id
    assert (made.origin_id, made.source) == (case.event.pk, case.event.source)
    assert made.extensions["corrects"] == case.event.event_id
    assert made.correlation_id == case.event.correlation_id
    assert made.application == case.event.application
    assert data_of(case.event) == STORED


def test_hidden_values_are_kept_though_nobody_saw_them(case: Case, support: User) -> None:
    assert data_of(correct(case, support)) == {**STORED, "order_id": "B-2002"}


def test_by_default_only_who_lacks_the_event_gets_its_correction(case: Case, support: User) -> None:
    made = correct(case, support)
    owed = {one.subscription_id: one for one in Delivery.objects.filter(event=made)}
    assert owed[case.dead.subscription_id].status == DeliveryStatus.PENDING
    spared = owed[case.arrived.subscription_id]
    assert (spared.status, spared.reason) == (DeliveryStatus.SKIPPED, "not_concerned")
    assert QueueRow.objects.get().subscription_id == case.dead.subscription_id


def test_a_wrong_fact_is_corrected_for_everybody(case: Case, support: User) -> None:
    made = correct(case, support, draft(audience=Audience.ALL))
    assert set(Delivery.objects.filter(event=made).values_list("status", flat=True)) == {"pending"}


def test_the_old_case_says_what_took_its_place(case: Case, support: User) -> None:
    made = correct(case, support)
    dead = Delivery.objects.get(pk=case.dead.pk)
    assert dead.status == DeliveryStatus.DISCARDED
    assert made.event_id in dead.reason
    letter = DeadLetter.objects.get(pk=case.dead.pk)
    assert letter.resolved_at is not None
    assert made.event_id in letter.resolution
    assert FailureGroup.objects.get().state == "resolved"
    assert Delivery.objects.get(pk=case.arrived.pk).status == DeliveryStatus.DELIVERED
    old = lives.of(case.event, viewer=support, now=timezone.now())
    new = lives.of(made, viewer=support, now=timezone.now())
    assert old.corrections == [made]
    assert new.origin == case.event


def test_what_was_still_owed_of_the_old_event_does_not_overtake(case: Case, support: User) -> None:
    DeadLetter.objects.all().delete()
    Delivery.objects.filter(pk=case.dead.pk).update(status=DeliveryStatus.PENDING, ended_at=None)
    QueueRow.objects.create(
        delivery_id=case.dead.pk,
        subscription_id=case.dead.subscription_id,
        event_id=case.event.pk,
        due_at=timezone.now(),
    )
    made = correct(case, support)
    assert set(QueueRow.objects.values_list("event_id", flat=True)) == {made.pk}


def test_pressing_twice_publishes_once(case: Case, support: User) -> None:
    first, second = correct(case, support), correct(case, support)
    assert first == second
    assert Event.objects.count() == 2
    assert LedgerEntry.objects.filter(action="event:correct").count() == 1


def test_ledger_names_both_and_holds_no_data(case: Case, support: User) -> None:
    made = correct(case, support, reason="The clerk mistyped the number.")
    entry = LedgerEntry.objects.get(action="event:correct")
    assert entry.reason == "The clerk mistyped the number."
    assert entry.after["event"] == str(made.pk)
    assert "B-2002" not in json.dumps([entry.before, entry.after])


def test_what_breaks_the_contract_is_not_published(case: Case, support: User) -> None:
    wrong = draft({"order_id": "B", "amount": -1, "email": MASK})
    assert set(faults(case, support, wrong)) == {"/data/amount"}
    with pytest.raises(ValidationError) as refused:
        correct(case, support, wrong)
    assert list(refused.value.message_dict) == ["data/amount"]
    assert Event.objects.count() == 1
    assert Delivery.objects.get(pk=case.dead.pk).status == DeliveryStatus.DEAD


@pytest.mark.parametrize("text", ["{", '{"a": 1, "a": 2}', '"\\u0000"', "NaN", "[" * 80, ""])
def test_what_is_no_data_is_refused_in_words(case: Case, support: User, text: str) -> None:
    assert faults(case, support, Draft(text=text, subject="A-1001"))


def test_the_same_again_is_a_replay_and_no_correction(case: Case, support: User) -> None:
    told = faults(case, support, draft({**STORED, "email": MASK}))
    assert "replay" in told[""]


def test_a_mask_that_stands_for_nothing_is_asked_about(case: Case, support: User) -> None:
    assert set(faults(case, support, draft({**STORED, "order_id": MASK}))) == {"/data/order_id"}


def test_without_a_grant_to_publish_there_is_no_correction(case: Case, support: User) -> None:
    now = timezone.now()
    grants.revoke(case.shop.grant, by=factories.make_admin(), reason="Ended.", now=now)
    with pytest.raises(ValidationError, match="may not publish"):
        correct(case, support)


def test_a_reason_is_required(case: Case, support: User) -> None:
    with pytest.raises(ValidationError) as refused:
        correct(case, support, reason=" ")
    assert list(refused.value.message_dict) == ["reason"]


@pytest.mark.parametrize(
    ("role", "may"),
    [(roles.SUPPORT, True), (roles.ADMIN, True), (roles.REVIEWER, False), (roles.CITIZEN, False)],
)
def test_correcting_needs_its_own_permission(case: Case, role: str, may: bool) -> None:
    somebody = factories.make_person(role=role)
    assert corrections.may_correct(case.event, by=somebody) is may
    if not may:
        with pytest.raises(PermissionDenied):
            correct(case, somebody)


def test_the_publishers_team_may_and_the_subscribers_may_not(case: Case) -> None:
    publisher = factories.make_person(team=case.shop.application.team)
    subscriber = factories.make_person(team=case.dead.subscription.application.team)
    assert corrections.may_correct(case.event, by=publisher)
    assert not corrections.may_correct(case.event, by=subscriber)
    mended = {**STORED, "email": "grace@example.com"}  # they see it, so there is no mask
    assert data_of(correct(case, publisher, draft(mended))) == mended


def page(event: Event) -> str:
    return reverse("delivery:event-correct", args=[event.pk])


def form(case: Case, **fields: object) -> dict[str, object]:
    return {
        "document": draft().text,
        "subject": "A-1001",
        "version": "1.0.0",
        "audience": "missing",
        "reason": "A typo.",
        **fields,
    }


def test_page_is_for_those_who_may(case: Case, support: User) -> None:
    assert must_sign_in(page(case.event))
    subscriber = factories.make_person(team=case.dead.subscription.application.team)
    assert signed_in(factories.make_person()).get(page(case.event)).status_code == 404
    assert signed_in(subscriber).get(page(case.event)).status_code == 403
    shown = text_of(signed_in(support).get(page(case.event)))
    assert "A-1001" in shown
    assert "ada@example.com" not in shown


def test_page_checks_then_publishes(case: Case, support: User) -> None:
    client = signed_in(support)
    checked = client.post(page(case.event), {**form(case), "check": "1"})
    assert "It keeps its contract." in text_of(checked)
    assert "Lacks it" in text_of(checked)
    assert Event.objects.count() == 1
    done = client.post(page(case.event), form(case))
    made = Event.objects.get(origin_id=case.event.pk)
    assert done["Location"] == reverse("delivery:event-detail", args=[made.pk])
    old = text_of(client.get(reverse("delivery:event-detail", args=[case.event.pk])))
    assert "This event was corrected." in old
    assert "This event corrects another one." in text_of(client.get(done["Location"]))


def test_typed_text_is_kept_when_something_is_wrong(case: Case, support: User) -> None:
    client = signed_in(support)
    for wrong in ({"document": '{"order_id": "Typed"'}, {"reason": ""}, {"version": "9.9.9"}):
        answer = client.post(page(case.event), form(case, **wrong, subject="Typed too"))
        assert answer.status_code == 200
        assert "Typed too" in text_of(answer)
    assert Event.objects.count() == 1


def test_live_check_answers_with_the_piece_alone(case: Case, support: User) -> None:
    answer: object = signed_in(support).post(
        page(case.event), form(case, document="[]"), headers={"HX-Request": "true"}
    )
    shown = text_of(answer)  # type: ignore[arg-type]  # the test client's answer
    assert "<html" not in shown
    assert "must be an object" in shown


def test_api_corrects_by_the_same_rules(case: Case, support: User) -> None:
    asker = person(support)
    address = f"events/{case.event.pk}/correct"
    data = json.loads(draft().text)
    tried = asker.post(address, {"data": data, "dry_run": True})
    assert (tried.status_code, tried.json()["deliveries"]) == (200, 1)
    wrong = asker.post(address, {"data": {"amount": 1}, "reason": "x"})
    assert wrong.status_code == 422
    made = asker.post(address, {"data": data, "reason": "A typo."})
    assert (made.status_code, made.json()["deliveries"]) == (201, 1)
    assert Event.objects.get(pk=made.json()["id"]).origin_id == case.event.pk
    assert "/reason" in pointers(asker.post(address, {"data": data}))


def test_links_lead_to_it_where_a_delivery_failed(case: Case, support: User) -> None:
    client = signed_in(support)
    group = FailureGroup.objects.get()
    for where in (
        reverse("delivery:failure-detail", args=[group.number]),
        reverse("delivery:delivery-detail", args=[case.dead.pk]),
        reverse("delivery:event-detail", args=[case.event.pk]),
    ):
        assert page(case.event) in text_of(client.get(where))
