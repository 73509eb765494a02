"""A production event copied to staging: invented values in place of sensitive ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.models import User
from catalog.words import Environment
from delivery import copies, expunging, knowledge
from delivery.copies import Wish
from delivery.models import Delivery, Event, Payload, Subscription
from governance import roles
from governance.models import LedgerEntry
from tests import factories
from tests.asking import person, pointers
from tests.delivery.publishers import Shop, make_shop
from tests.visitors import must_sign_in, signed_in, text_of

pytestmark = pytest.mark.django_db

STORED = {"order_id": "A-1001", "amount": 59.9, "email": "grace@navy.example"}
STAND_IN = "text"  # what the contract of the tests allows where it gives no example


@pytest.fixture
def support() -> User:
    return factories.make_person(role=roles.SUPPORT)


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def event(shop: Shop) -> Event:
    return publish(shop)


def publish(shop: Shop, **attributes: str) -> Event:
    sent = shop.publish(
        shop.envelope(
            data=STORED,
            extensions={"tenant": "shop grace@navy.example", "region": "eu", "causationid": "x"},
            **{"subject": "A-1001", **attributes},
        )
    )
    return Event.objects.get(event_id=sent.id)


def staging(shop: Shop, name: str = "Tries it") -> Subscription:
    made = factories.make_subscription(topic=shop.topic, environment=Environment.STAGING, name=name)
    knowledge.refresh()
    return made


def copy(event: Event, by: User, wish: Wish | None = None, reason: str = "To see it.") -> Event:
    return copies.copy(event, wish or Wish(), reason=reason, by=by, now=timezone.now())


def data_of(event: Event) -> Mapping[str, object]:
    found: dict[str, object] = json.loads(Payload.objects.get(event_id=event.pk).data)
    return found


def test_copy_stands_in_staging_and_names_its_original(event: Event, support: User) -> None:
    made = copy(event, support)
    assert made.environment == Environment.STAGING
    assert (made.origin_id, made.extensions["copyof"]) == (event.pk, str(event.pk))
    assert (made.application, made.source, made.type) == (
        event.application,
        event.source,
        event.type,
    )
    assert made.event_id != event.event_id
    assert data_of(event) == STORED


def test_sensitive_values_are_invented_and_others_are_kept(event: Event, support: User) -> None:
    assert data_of(copy(event, support)) == {**STORED, "email": STAND_IN}


def test_attributes_that_repeat_a_sensitive_value_stay_behind(event: Event, support: User) -> None:
    made = copy(event, support)
    assert "tenant" not in made.extensions
    assert made.extensions["region"] == "eu"
    assert made.subject == "A-1001"
    told = LedgerEntry.objects.get(action="event:copy")
    assert told.after["left_out"] == ["tenant"]


def test_subject_that_is_the_sensitive_value_stays_behind(shop: Shop, support: User) -> None:
    made = copy(publish(shop, subject=STORED["email"]), support)  # type: ignore[arg-type]
    assert made.subject is None
    everything = json.dumps([made.extensions, data_of(made), made.subject])
    assert "grace" not in everything


def test_source_that_holds_a_sensitive_value_is_refused(shop: Shop, support: User) -> None:
    event = publish(shop, source="/people/grace@navy.example")
    with pytest.raises(ValidationError) as refused:
        copy(event, support)
    assert list(refused.value.message_dict) == ["source"]
    assert Event.objects.count() == 1


def test_past_of_production_is_no_past_of_staging(event: Event, support: User) -> None:
    made = copy(event, support)
    assert (made.causation_id, made.hops) == ("", 0)
    assert made.trace_parent != event.trace_parent
    assert made.correlation_id == event.correlation_id


def test_only_staging_gets_it(shop: Shop, event: Event, support: User) -> None:
    factories.make_subscription(topic=shop.topic, name="In production")
    there = staging(shop)
    made = copy(event, support)
    assert [one.subscription for one in Delivery.objects.filter(event=made)] == [there]


def test_it_may_go_to_one_subscription_alone(shop: Shop, event: Event, support: User) -> None:
    wanted, other = staging(shop), staging(shop, "Another")
    made = copy(event, support, Wish(to=wanted))
    found = {one.subscription: one.status for one in Delivery.objects.filter(event=made)}
    assert found == {wanted: "pending", other: "skipped"}


def test_one_who_would_not_get_it_is_told(shop: Shop, event: Event, support: User) -> None:
    wanted = factories.make_subscription(
        topic=shop.topic,
        environment=Environment.STAGING,
        filter={"all": [{"field": "data.order_id", "op": "equals", "value": "B"}]},
    )
    knowledge.refresh()
    told = copies.preview(event, Wish(to=wanted), by=support, now=timezone.now()).outlook.faults
    assert [pointer for pointer, _sentence in told] == ["/to"]


def test_pressing_twice_copies_once(event: Event, support: User) -> None:
    assert copy(event, support) == copy(event, support)
    assert Event.objects.count() == 2
    assert LedgerEntry.objects.filter(action="event:copy").count() == 1


def test_ledger_says_what_was_replaced_and_holds_no_data(event: Event, support: User) -> None:
    made = copy(event, support, reason="The flow loses e-mails.")
    entry = LedgerEntry.objects.get(action="event:copy")
    assert entry.reason == "The flow loses e-mails."
    assert (entry.after["event"], entry.after["replaced"]) == (str(made.pk), ["/email"])
    assert "grace" not in json.dumps([entry.before, entry.after])


def test_contract_of_the_copy_hides_more_than_that_of_the_event(
    shop: Shop, event: Event, support: User
) -> None:
    schema = json.loads(json.dumps(factories.SCHEMA))
    schema["properties"]["order_id"]["x-sensitive"] = "identity"
    newer = factories.make_version("1.1.0", event_type=shop.event_type, document=schema)
    knowledge.refresh()
    made = copy(event, support, Wish(version="1.1.0"))
    assert made.version == newer
    assert data_of(made) == {**STORED, "order_id": STAND_IN, "email": STAND_IN}
    assert made.subject is None


def test_version_that_is_not_live_in_staging_is_refused(shop: Shop, support: User) -> None:
    factories.make_version("1.1.0", event_type=shop.event_type, live_in=[Environment.PRODUCTION])
    knowledge.refresh()
    event = publish(shop)
    assert event.version.version == "1.1.0"
    told = copies.preview(event, Wish(), by=support, now=timezone.now()).outlook.faults
    assert [pointer for pointer, _sentence in told] == ["/dataschema"]
    with pytest.raises(ValidationError):
        copy(event, support)


def test_only_production_is_copied(event: Event, support: User) -> None:
    made = copy(event, support)
    assert not copies.may_copy(made, by=support)
    with pytest.raises(ValidationError, match="production"):
        copy(made, support)


def test_expunged_data_cannot_be_copied_and_takes_its_copies_along(
    event: Event, support: User
) -> None:
    made = copy(event, support)
    expunging.expunge(event, reason="Asked to.", by=factories.make_admin(), now=timezone.now())
    assert not Payload.objects.filter(event_id=made.pk).exists()
    with pytest.raises(ValidationError, match="no longer kept"):
        copy(event, support)


def test_a_reason_is_required(event: Event, support: User) -> None:
    with pytest.raises(ValidationError) as refused:
        copy(event, support, reason=" ")
    assert list(refused.value.message_dict) == ["reason"]


@pytest.mark.parametrize(
    ("role", "may"),
    [(roles.SUPPORT, True), (roles.ADMIN, True), (roles.REVIEWER, False), (roles.CITIZEN, False)],
)
def test_copying_needs_its_own_permission(event: Event, role: str, may: bool) -> None:
    somebody = factories.make_person(role=role)
    assert copies.may_copy(event, by=somebody) is may
    if not may:
        with pytest.raises(PermissionDenied):
            copy(event, somebody)
        assert Event.objects.count() == 1


def test_publishers_team_may_and_the_subscribers_may_not(shop: Shop) -> None:
    lacks = factories.make_subscription(topic=shop.topic)
    knowledge.refresh()
    event = publish(shop)
    assert copies.may_copy(event, by=factories.make_person(team=shop.application.team))
    assert not copies.may_copy(event, by=factories.make_person(team=lacks.application.team))


def test_another_teams_subscription_is_no_target_for_the_publisher(
    shop: Shop, event: Event
) -> None:
    theirs = staging(shop)
    publisher = factories.make_person(team=shop.application.team)
    with pytest.raises(PermissionDenied):
        copy(event, publisher, Wish(to=theirs))


def page(event: Event) -> str:
    return reverse("delivery:event-copy", args=[event.pk])


def test_page_is_for_those_who_may(shop: Shop, support: User) -> None:
    lacks = factories.make_subscription(topic=shop.topic)
    knowledge.refresh()
    event = publish(shop)
    subscriber = factories.make_person(team=lacks.application.team)
    assert must_sign_in(page(event))
    assert signed_in(factories.make_person()).get(page(event)).status_code == 404
    assert signed_in(subscriber).get(page(event)).status_code == 403
    assert signed_in(support).get(page(copy(event, support))).status_code == 404


def test_page_shows_what_is_replaced_before_anything_is_made(
    shop: Shop, event: Event, support: User
) -> None:
    staging(shop)
    shown = text_of(signed_in(support).get(page(event)))
    assert "grace" not in shown
    assert "/email" in shown
    assert "<code>tenant</code>" in shown
    assert "Tries it" in shown
    assert Event.objects.count() == 1


def test_page_copies_and_both_events_name_each_other(event: Event, support: User) -> None:
    client = signed_in(support)
    life = reverse("delivery:event-detail", args=[event.pk])
    assert page(event) in text_of(client.get(life))
    done = client.post(page(event), {"version": "1.0.0", "to": "", "reason": "To see it."})
    made = Event.objects.get(origin_id=event.pk)
    assert done["Location"] == reverse("delivery:event-detail", args=[made.pk])
    assert "This is a copy of a production event." in text_of(client.get(done["Location"]))
    original = text_of(client.get(life))
    assert "This event was copied to staging." in original
    assert "Copied to staging as" in original
    assert "This event was corrected." not in original


def test_refused_copy_keeps_what_was_typed(shop: Shop, event: Event, support: User) -> None:
    client = signed_in(support)
    typed = {"version": "9.9.9", "to": "", "reason": "What I typed for minutes."}
    answer = client.post(page(event), typed)
    assert answer.status_code == 200
    assert "What I typed for minutes." in text_of(answer)
    nameless = client.post(page(event), {"version": "1.0.0", "to": "", "reason": ""})
    assert "Say why" in text_of(nameless)
    assert Event.objects.count() == 1


def test_choice_is_reckoned_anew_without_the_rest_of_the_page(
    shop: Shop, event: Event, support: User
) -> None:
    there = staging(shop)
    answer = signed_in(support).post(
        page(event), {"version": "1.0.0", "to": there.number}, headers={"HX-Request": "true"}
    )
    assert "<html" not in text_of(answer)
    assert "Tries it" in text_of(answer)
    assert Event.objects.count() == 1


def test_api_copies_by_the_same_rules(shop: Shop, event: Event, support: User) -> None:
    there = staging(shop)
    asker, address = person(support), f"events/{event.pk}/copy"
    tried = asker.post(address, {"dry_run": True})
    assert (tried.status_code, tried.json()["deliveries"]) == (200, 1)
    assert tried.json()["replaced"] == [
        {"pointer": "/email", "sensitive": "contact", "value": STAND_IN}
    ]
    assert asker.post(address, {"version": "9.9.9", "reason": "x"}).status_code == 422
    assert "/reason" in pointers(asker.post(address, {}))
    unknown = asker.post(address, {"to": str(event.pk), "reason": "x"})
    assert "/to" in pointers(unknown)
    assert Event.objects.count() == 1
    made = asker.post(address, {"to": str(there.pk), "reason": "To see it."})
    assert (made.status_code, made.json()["left_out"]) == (201, ["tenant"])
    assert Event.objects.get(pk=made.json()["id"]).origin_id == event.pk
    assert person(factories.make_person()).post(address, {"reason": "x"}).status_code == 404
