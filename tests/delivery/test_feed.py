"""Feeds: a cursor that misses nothing, and what acknowledging ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import Application, EventType
from catalog.moves import IllegalMove
from catalog.words import Environment
from delivery import backlogs, feed, hooks, knowledge, publishing, subscriptions
from delivery.cloudevents import Envelope
from delivery.known import Publisher
from delivery.models import Delivery, QueueRow, Subscription
from delivery.states import DeliveryMode, DeliveryStatus
from governance import grants
from governance.models import Grant
from governance.states import Verb
from tests import factories

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A pull subscription, its application, and who publishes to its topic."""

    subscription: Subscription
    application: Application
    event_type: EventType
    publisher: Publisher
    grant: Grant

    def publish(self, count: int) -> list[str]:
        """Publish events; return their ids."""
        ids = [str(uuid4()) for _ in range(count)]
        for id_ in ids:
            data = {"order_id": id_, "amount": 1}
            publishing.publish(
                Envelope(
                    id=id_,
                    source="/shop",
                    type=self.event_type.name,
                    data_raw=json.dumps(data).encode(),
                    data=data,
                ),
                publisher=self.publisher,
                now=timezone.now(),
            )
        return ids

    def read(self, after: int | None = None, limit: int = 100) -> feed.Page:
        return feed.read(
            self.subscription,
            after=after,
            limit=limit,
            by=self.application.service_account,
            now=timezone.now(),
        )

    def acknowledge(self, cursor: int) -> int:
        return feed.acknowledge(
            self.subscription,
            cursor=cursor,
            by=self.application.service_account,
            now=timezone.now(),
        )


@pytest.fixture
def pulled() -> Feed:
    topic = factories.make_topic()
    event_type = factories.make_event_type(topic=topic)
    factories.make_version(event_type=event_type)
    source = factories.make_application()
    factories.make_grant(source, topic=topic, verb=Verb.PUBLISH)
    application = factories.make_application()
    grant = factories.make_grant(application, topic=topic)
    subscription, secret = subscriptions.create(
        application=application,
        topic=topic,
        environment=Environment.PRODUCTION,
        by=factories.make_person(team=application.team),
        now=timezone.now(),
        mode=DeliveryMode.PULL,
    )
    assert secret == ""
    return Feed(
        subscription=subscription,
        application=application,
        event_type=event_type,
        publisher=Publisher(application_id=source.pk, environment=Environment.PRODUCTION),
        grant=grant,
    )


def ids_of(page: feed.Page) -> list[str]:
    return [json.loads(item.event)["id"] for item in page.items]


def test_what_is_published_is_handed_out_in_order_as_whole_events(pulled: Feed) -> None:
    ids = pulled.publish(3)
    page = pulled.read()
    assert ids_of(page) == ids
    assert [item.cursor for item in page.items] == [1, 2, 3]
    first = json.loads(page.items[0].event)
    assert (first["type"], first["data"]["order_id"]) == (pulled.event_type.name, ids[0])
    assert first["correlationid"]


def test_no_worker_may_claim_what_a_feed_waits_for(pulled: Feed) -> None:
    pulled.publish(1)
    assert not QueueRow.objects.due(timezone.now()).exists()
    assert backlogs.of_one(pulled.subscription).count == 1


def test_pages_follow_one_another_by_their_cursor(pulled: Feed) -> None:
    ids = pulled.publish(5)
    first = pulled.read(limit=2)
    second = pulled.read(after=first.cursor, limit=2)
    third = pulled.read(after=second.cursor, limit=2)
    assert ids_of(first) + ids_of(second) + ids_of(third) == ids
    assert pulled.read(after=third.cursor).items == ()


def test_without_a_cursor_the_unacknowledged_come_again(pulled: Feed) -> None:
    ids = pulled.publish(4)
    page = pulled.read(limit=2)
    assert pulled.acknowledge(page.items[0].cursor) == 1
    assert ids_of(pulled.read()) == ids[1:]


def test_an_event_that_commits_late_comes_behind_the_cursor_not_before_it(pulled: Feed) -> None:
    # Made before the others and visible after them: as a slow transaction leaves it.
    late = uuid7()
    ids = pulled.publish(2)
    page = pulled.read()
    early = QueueRow.objects.get(position=1)
    Delivery.objects.create(
        id=late,
        event_id=early.event_id,
        subscription=pulled.subscription,
        environment=Environment.PRODUCTION,
    )
    QueueRow.objects.create(
        delivery_id=late,
        subscription_id=pulled.subscription.pk,
        event_id=early.event_id,
        due_at=early.due_at,
    )
    after = pulled.read(after=page.cursor)
    assert ids_of(after) == [ids[0]]
    assert after.cursor > page.cursor


def test_acknowledging_ends_deliveries_once(pulled: Feed) -> None:
    pulled.publish(3)
    page = pulled.read()
    assert pulled.acknowledge(page.cursor) == 3
    assert pulled.acknowledge(page.cursor) == 0
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}
    assert not QueueRow.objects.exists()


def test_positions_go_on_after_everything_was_acknowledged(pulled: Feed) -> None:
    pulled.publish(2)
    page = pulled.read()
    pulled.acknowledge(page.cursor)
    pulled.publish(1)
    assert [item.cursor for item in pulled.read(after=page.cursor).items] == [3]


def test_a_cursor_that_was_never_handed_out_is_refused(pulled: Feed) -> None:
    pulled.publish(1)
    with pytest.raises(ValidationError):
        pulled.acknowledge(5)


def test_only_the_own_application_reads_it(pulled: Feed) -> None:
    owner = factories.make_person(team=pulled.application.team)
    other = factories.make_application().service_account
    for somebody in (owner, other, factories.make_admin()):
        with pytest.raises(PermissionDenied):
            feed.read(pulled.subscription, by=somebody, now=timezone.now())


def test_a_revoked_grant_closes_the_feed(pulled: Feed) -> None:
    pulled.publish(1)
    grants.revoke(pulled.grant, by=factories.make_admin(), reason="It ends.", now=timezone.now())
    with pytest.raises(PermissionDenied):
        pulled.read()


def test_a_paused_feed_keeps_its_events_and_says_so(pulled: Feed) -> None:
    owner = factories.make_person(team=pulled.application.team)
    subscriptions.pause(pulled.subscription, by=owner, now=timezone.now())
    pulled.subscription.refresh_from_db()
    pulled.publish(1)
    with pytest.raises(IllegalMove, match="paused"):
        pulled.read()


def test_a_hook_subscribed_twice_is_one_subscription(pulled: Feed) -> None:
    wish = {
        "application": pulled.application,
        "environment": Environment.PRODUCTION,
        "target_url": "https://hooks.example.com/1",
        "event_type": pulled.event_type.name,
        "by": pulled.application.service_account,
    }
    first, secret = hooks.subscribe(**wish, now=timezone.now())  # type: ignore[arg-type]
    second, again = hooks.subscribe(**wish, now=timezone.now())  # type: ignore[arg-type]
    assert (first.pk, secret) == (second.pk, again)
    assert first.is_hook
    ended = hooks.unsubscribe(first, by=pulled.application.service_account, now=timezone.now())
    assert ended.ended_at is not None


def test_a_hook_for_a_hidden_type_does_not_exist(pulled: Feed) -> None:
    hidden = factories.make_event_type(topic=factories.make_topic(is_restricted=True))
    with pytest.raises(EventType.DoesNotExist):
        hooks.subscribe(
            application=pulled.application,
            environment=Environment.PRODUCTION,
            target_url="https://hooks.example.com/1",
            event_type=hidden.name,
            by=pulled.application.service_account,
            now=timezone.now(),
        )


def test_a_sample_is_the_example_until_there_are_events(pulled: Feed) -> None:
    account = pulled.application.service_account
    name = pulled.event_type.name
    (example,) = hooks.sample(name, environment=Environment.PRODUCTION, by=account)
    assert example["data"] == factories.SAMPLE
    assert example["type"] == name


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()
