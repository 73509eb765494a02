"""A producer moves on to another major version; its pinned subscribers go on receiving theirs."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.models import SchemaVersion, Topic, User
from delivery import (
    contract_checks,
    feed,
    knowledge,
    replay_running,
    replays,
    routing,
    targets,
    translation_trials,
)
from delivery.dispatch import Engine
from delivery.models import DeadLetter, Delivery, Event, QueueRow, Subscription, Translation
from delivery.replay_selections import Selection
from delivery.states import DeliveryMode, DeliveryStatus
from delivery.verdicts import Verdict
from governance import checks, reviews, roles, verification, versions
from governance.governed import governed
from governance.models import ChangeRequest, CheckResult
from governance.states import ChangeKind, ChangeState
from tests import factories
from tests.asking import make_machine, pointers
from tests.delivery.publishers import Shop, make_shop
from tests.delivery.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)

NOW = timezone.now()
# 2.x has the money in one object, and may carry what 1.x never heard of.
SECOND: dict[str, Any] = {
    "type": "object",
    "required": ["order_id", "total"],
    "properties": {
        "order_id": {"type": "string"},
        "total": {
            "type": "object",
            "required": ["amount"],
            "properties": {"amount": {"type": ["number", "string"]}},
        },
    },
}
BACK = "{order_id: order_id, amount: total.amount, channel: channel}"
CLOSED: dict[str, Any] = {**factories.SCHEMA, "additionalProperties": False}


@dataclass(frozen=True, kw_only=True)
class World:
    """A shop that publishes 2.x, with people who have a say."""

    shop: Shop
    second: SchemaVersion
    author: User
    reviewer: User

    def proposed(self, mapping: str = BACK, **values: object) -> ChangeRequest:
        change = reviews.propose(
            ChangeKind.TRANSLATION,
            event_type=self.shop.event_type,
            reason="Two subscribers cannot follow yet.",
            proposal={"from_major": 2, "to_major": 1, "mapping": mapping, **values},
            by=self.author,
            now=NOW,
        )
        return reviews.open_(change, by=self.author, now=NOW)

    def converts(self, mapping: str = BACK) -> ChangeRequest:
        return reviews.approve(
            self.proposed(mapping),
            by=self.reviewer,
            now=NOW,
            accepted=[contract_checks.CONVERSION],
            and_apply=True,
        )

    def publish(self, amount: object = 12.5) -> None:
        self.shop.publisher.passes.clear()  # a publisher lives no longer than one reading
        data = {"order_id": "A-1", "total": {"amount": amount}, "channel": "web"}
        self.shop.publish(self.shop.envelope(data=data))


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def world() -> World:
    shop = make_shop()
    return World(
        shop=shop,
        second=factories.make_version(
            "2.0.0",
            event_type=shop.event_type,
            document=SECOND,
            example={"order_id": "A-1", "total": {"amount": 1}},
        ),
        author=factories.make_person(team=shop.topic.owner),
        reviewer=factories.make_person(role=roles.REVIEWER),
    )


def result(change: ChangeRequest, name: str) -> CheckResult:
    (found,) = [row for row in checks.latest(change) if row.check_name == name]
    return found


def pinned(world: World, url: str = "http://127.0.0.1:9/hook", **fields: Any) -> Subscription:
    return factories.make_subscription(topic=world.shop.topic, url=url, version_pin=1, **fields)


def test_the_pinned_goes_on_receiving_its_version(
    world: World, engine: Engine, receiver: Receiver
) -> None:
    pinned(world, receiver.url("/pinned"))
    factories.make_subscription(topic=world.shop.topic, url=receiver.url("/latest"))
    world.publish()
    assert Delivery.objects.count() == 1  # without a conversion, the pinned one gets nothing
    world.converts()
    world.publish()
    engine.drain(seconds=10)
    (got,) = [one for one in receiver.got if one.path == "/pinned"]
    assert json.loads(got.body) == {"order_id": "A-1", "amount": 12.5, "channel": "web"}
    assert got.headers["ce-dataschema"].endswith("/versions/1.0.0/schema")
    assert got.headers["ce-translatedfrom"] == "2.0.0"
    bodies = [json.loads(one.body) for one in receiver.got if one.path == "/latest"]
    assert [body["total"] for body in bodies] == [{"amount": 12.5}] * 2


def test_its_filter_sees_the_event_as_it_comes(world: World) -> None:
    large = pinned(world, filter={"jmespath": "amount > `100`"})
    world.converts()
    world.publish(12.5)
    assert not Delivery.objects.exists()
    world.publish(120)
    assert Delivery.objects.get().subscription == large
    event = Event.objects.with_names().latest("id")
    (choice,) = routing.explain(event, now=NOW)
    assert choice.verdict == Verdict.DELIVER
    assert "converted from 2.0.0 to 1.0.0" in choice.sentence
    first = Event.objects.with_names().earliest("id")
    assert "filter" in routing.explain(first, now=NOW)[0].sentence


def test_a_failing_conversion_is_a_dead_letter_of_its_own_and_mends(
    world: World, engine: Engine, receiver: Receiver
) -> None:
    subscription = pinned(world, receiver.url(), filter={"jmespath": "amount > `1`"})
    world.converts("{order_id: order_id, amount: to_number(total.amount), x: abs(total.amount)}")
    world.publish("12.5")
    engine.drain(seconds=10)
    letter = DeadLetter.objects.get()
    assert (letter.error_class, letter.limit, letter.attempts) == ("translation", "permanent", 1)
    assert "conversion from 2.0.0 to 1.0.0" in letter.message
    assert not receiver.got
    subscription.circuit.refresh_from_db()
    assert subscription.circuit.last_failure_at is None  # the endpoint has done nothing
    world.converts("{order_id: order_id, amount: to_number(total.amount)}")
    support = factories.make_person(role=roles.SUPPORT)
    time.sleep(2 * targets.REFRESH_SECONDS)  # what the engine knows may be that old
    now = timezone.now()
    chosen = Selection(deliveries=(Delivery.objects.get().pk,))
    replays.start(chosen, environment="production", reason="Mended.", by=support, now=now)
    for _try in range(30):
        replay_running.run_all(now=timezone.now())
        engine.drain(seconds=1)
        if receiver.got:
            break
        time.sleep(0.2)
    assert [json.loads(one.body)["amount"] for one in receiver.got] == [12.5]


def test_what_breaks_the_pinned_contract_is_not_sent(
    world: World, engine: Engine, receiver: Receiver
) -> None:
    pinned(world, receiver.url())
    world.converts("{amount: total.amount}")
    world.publish()
    engine.drain(seconds=10)
    assert "“order_id” is missing" in DeadLetter.objects.get().message


def test_a_field_that_a_closed_contract_does_not_know_stops_nothing(
    engine: Engine, receiver: Receiver
) -> None:
    shop = make_shop()
    factories.make_version("1.1.0", event_type=shop.event_type, document=CLOSED)
    second = factories.make_version("2.0.0", event_type=shop.event_type, document=SECOND)
    world = World(
        shop=shop,
        second=second,
        author=factories.make_person(team=shop.topic.owner),
        reviewer=factories.make_person(role=roles.REVIEWER),
    )
    pinned(world, receiver.url())
    world.converts()
    world.publish()
    engine.drain(seconds=10)
    assert len(receiver.got) == 1


def test_a_feed_is_converted_too_and_what_cannot_be_dies(world: World) -> None:
    subscription = pinned(world, mode=DeliveryMode.PULL)
    world.converts("{order_id: order_id, amount: abs(total.amount)}")
    world.publish(7)
    world.publish("seven")
    account = subscription.application.service_account
    page = feed.read(subscription, by=account, now=timezone.now())
    (item,) = page.items
    event = json.loads(item.event)
    assert event["data"] == {"order_id": "A-1", "amount": 7}
    assert event["translatedfrom"] == "2.0.0"
    assert DeadLetter.objects.get().error_class == "translation"
    assert sorted(Delivery.objects.values_list("status", flat=True)) == [
        DeliveryStatus.DEAD,
        DeliveryStatus.PENDING,
    ]
    assert feed.read(subscription, by=account, now=timezone.now()).items == page.items
    assert QueueRow.objects.count() == 1


# Review


def test_recorded_events_try_it_in_review(world: World) -> None:
    world.publish(1)
    world.publish("two")
    pinned(world, name="CRM")
    change = world.proposed("{order_id: order_id, amount: abs(total.amount), odd: nonsense}")
    tried = result(change, contract_checks.CONVERSION)
    assert tried.outcome == "failed"
    assert tried.summary == "1 of the last 2 recorded events cannot be converted."
    sample, failed = tried.findings
    assert sample["after"] == {"order_id": "A-1", "amount": 1, "odd": None}
    assert failed["count"] == 1
    assert "two" not in json.dumps(tried.findings)
    assert "/nonsense" in result(change, contract_checks.FIELDS).summary
    (touched,) = result(change, contract_checks.IMPACT).findings
    assert (touched["name"], touched["effect"]) == ("CRM", "gains")
    with pytest.raises(ValidationError, match="cannot be converted"):
        reviews.approve(change, by=world.reviewer, now=NOW)


def test_four_eyes_and_an_immutable_trace(world: World) -> None:
    change = world.proposed()
    assert result(change, contract_checks.CONVERSION).outcome == "passed"
    with pytest.raises(PermissionDenied):
        reviews.approve(change, by=world.author, now=NOW)
    with pytest.raises(PermissionDenied):
        reviews.approve(change, by=factories.make_person(), now=NOW)
    assert not Translation.objects.exists()
    world.converts("{order_id: order_id, amount: to_number('1')}")
    done = reviews.approve(change, by=world.reviewer, now=NOW, and_apply=True)
    assert done.state == ChangeState.APPLIED
    row = Translation.objects.get()
    assert (row.mapping, row.change_request, row.history.count()) == (BACK, change, 2)
    assert verification.verify() is None


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"mapping": "{a: "}, "/mapping"),
        ({"mapping": ""}, "/mapping"),
        ({"mapping": "{order_id: 'a\0b'}"}, "/mapping"),
        ({"mapping": {"a": 1}}, "/mapping"),
        ({"to_major": 2}, "/to_major"),
        ({"to_major": 7}, "/to_major"),
        ({"to_major": "one"}, "/to_major"),
        ({"to_major": "9" * 5000}, "/to_major"),
        ({"to_major": None}, "/to_major"),
        ({"to_major": [1]}, "/to_major"),
        ({"from_major": True}, "/from_major"),
        ({"from_major": 10**30}, "/from_major"),
        ({"nonsense": 1}, "/nonsense"),
    ],
)
def test_what_cannot_be_is_said_at_its_place(
    world: World, values: dict[str, object], place: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        world.proposed(**values)  # type: ignore[arg-type]  # wrong on purpose
    assert place in {one.params["pointer"] for one in refused.value.error_list if one.params}
    assert not ChangeRequest.objects.exists()


def test_a_new_major_no_longer_worries_those_for_whom_it_is_converted(world: World) -> None:
    world.converts()
    pinned(world)
    change = reviews.propose(
        ChangeKind.SCHEMA_VERSION,
        event_type=world.shop.event_type,
        reason="More.",
        proposal={"version": "2.1.0", "document": json.dumps(SECOND)},
        by=world.author,
        now=NOW,
    )
    change = reviews.open_(change, by=world.author, now=NOW)
    (touched,) = result(change, contract_checks.IMPACT).findings
    assert touched["effect"] == "untouched"


def test_reviewer_sees_no_personal_value_before_or_after(world: World) -> None:
    secret = {"order_id": "A-1", "amount": 1, "email": "ada@example.com"}
    factories.make_event(event_type=world.shop.event_type, data=secret)
    Event.objects.update(version=world.shop.version)
    change = reviews.propose(
        ChangeKind.TRANSLATION,
        event_type=world.shop.event_type,
        reason="Newer readers.",
        proposal={
            "from_major": 1,
            "to_major": 2,
            "mapping": "{order_id: email, total: {amount: amount}}",
        },
        by=world.author,
        now=NOW,
    )
    (seen,) = translation_trials.shown(change, viewer=world.reviewer)
    assert seen.is_masked
    assert "ada@" not in json.dumps([seen.before, seen.after])
    (whole,) = translation_trials.shown(change, viewer=factories.make_admin())
    assert whole.after == {"order_id": "ada@example.com", "total": {"amount": 1}}
    (sample,) = translation_trials.shown(change, viewer=factories.make_person())
    assert sample.event is None


def test_an_event_of_a_version_that_ends_says_so_when_it_arrives(
    engine: Engine, receiver: Receiver
) -> None:
    shop = make_shop()
    factories.make_subscription(topic=shop.topic, url=receiver.url())
    sunset = NOW + timedelta(days=30)
    with governed(by=None, now=NOW):
        versions.deprecate(
            shop.version,
            environments=["production"],
            sunset_at=sunset,
            replacement=None,
            by=factories.make_admin(),
            now=NOW,
        )
    shop.publish()
    engine.drain(seconds=10)
    headers = receiver.got[0].headers
    assert headers["ce-deprecated"] == "true"
    assert headers["ce-deprecationsunset"] == sunset.isoformat().replace("+00:00", "Z")
    assert headers["ce-deprecationmigration"].endswith(f"/{shop.event_type.name}/versions")


def test_a_sample_that_cannot_be_stored_is_left_out_of_what_is_found(world: World) -> None:
    odd = {"order_id": "\0", "total": {"amount": 1}}
    factories.make_version("3.0.0", event_type=world.shop.event_type, document=SECOND, example=odd)
    found = result(world.proposed(from_major=3), contract_checks.CONVERSION)
    assert found.outcome == "passed"
    assert found.findings == [{}]


def test_the_machine_api_lists_what_is_in_force_for_who_may_see_the_type(world: World) -> None:
    world.converts()
    row = Translation.objects.get()
    machine = make_machine()
    query = {"event_type": row.event_type.name, "to_major": "1"}
    (told,) = machine.get("conversions", **query).json()["results"]
    assert (told["from_major"], told["to_major"], told["mapping"]) == (2, 1, BACK)
    assert told["change_request"] == str(row.change_request_id)
    assert machine.get(f"conversions/{row.pk}").json() == told
    assert machine.get("conversions", from_major="1").json()["results"] == []
    assert pointers(machine.get("conversions", to_major="x")) == {"/to_major"}
    Topic.objects.update(is_restricted=True)
    stranger = make_machine(factories.make_application("elsewhere"))
    assert stranger.get("conversions").json()["results"] == []
    assert stranger.get(f"conversions/{row.pk}").status_code == 404
