"""Standing orders: what may be asked for, by whom, and what becomes of the backlog."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import Application, Topic, User
from catalog.moves import IllegalMove
from catalog.words import Environment
from delivery import backlogs, endpoints, orders, sealing, signing, signing_secrets, subscriptions
from delivery.models import Delivery, Endpoint, EndpointSecret, QueueRow, Subscription
from delivery.orders import Order
from delivery.states import DeliveryStatus, DisableReason, SubscriptionState
from delivery.transports import Basic
from governance import roles
from governance.models import LedgerEntry
from tests import factories
from tests.delivery import receiver

pytestmark = pytest.mark.django_db

URL = "https://flows.example.com/webhook/orders"
TYPE = "com.acme.sales.order.created"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """An application that may subscribe to a topic, its owner, and a stranger."""

    application: Application
    topic: Topic
    owner: User
    stranger: User

    def create(self, **wishes: object) -> tuple[Subscription, str]:
        return subscriptions.create(
            application=self.application,
            topic=self.topic,
            environment=Environment.PRODUCTION,
            by=self.owner,
            now=timezone.now(),
            **{"endpoint_url": URL, **wishes},  # type: ignore[arg-type]  # wishes of a test
        )


@pytest.fixture
def flow() -> Flow:
    topic = factories.make_topic("sales.orders")
    factories.make_version("1.2.0", event_type=factories.make_event_type(TYPE, topic=topic))
    application = factories.make_application("order-sheet")
    factories.make_grant(application, topic=topic)
    return Flow(
        application=application,
        topic=topic,
        owner=factories.make_person(team=application.team),
        stranger=factories.make_person(),
    )


def fields_at_fault(flow: Flow, **wishes: object) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        flow.create(**wishes)
    return set(caught.value.message_dict)


def test_a_new_subscription_is_active_and_has_a_secret_that_signs(flow: Flow) -> None:
    made, secret = flow.create(event_types=[TYPE], filter={"exact": {"subject": "EU"}})
    assert made.state == SubscriptionState.ACTIVE
    assert made.number > 0
    assert secret.startswith("whsec_")
    assert made.endpoint is not None
    assert endpoints.signing_secrets(made.endpoint, now=timezone.now()) == [secret]
    assert secret not in EndpointSecret.objects.get().sealed


def test_creating_is_in_the_ledger_without_filter_or_token(flow: Flow) -> None:
    made, _secret = flow.create(
        endpoint_url=f"{URL}?token=hidden", filter={"exact": {"subject": "Ada"}}
    )
    entry = LedgerEntry.objects.get(action="subscription:create")
    assert (entry.subject_id, entry.actor_id) == (str(made.pk), flow.owner.pk)
    assert entry.after["endpoint_url"] == URL
    assert "Ada" not in str(entry.after)


def test_a_stranger_cannot_create_one(flow: Flow) -> None:
    with pytest.raises(PermissionDenied):
        subscriptions.create(
            application=flow.application,
            topic=flow.topic,
            environment=Environment.PRODUCTION,
            by=flow.stranger,
            now=timezone.now(),
            endpoint_url=URL,
        )
    assert not Subscription.objects.exists()


def test_without_a_grant_the_error_says_what_to_do(flow: Flow) -> None:
    other = factories.make_topic()
    with pytest.raises(ValidationError, match="Ask for access") as caught:
        subscriptions.create(
            application=flow.application,
            topic=other,
            environment=Environment.PRODUCTION,
            by=flow.owner,
            now=timezone.now(),
            endpoint_url=URL,
        )
    assert set(caught.value.message_dict) == {"topic"}


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"endpoint_url": "http://127.0.0.1:1/"}, "endpoint_url"),
        ({"endpoint_url": "http://169.254.169.254/latest"}, "endpoint_url"),
        ({"endpoint_url": "ftp://example.com/"}, "endpoint_url"),
        ({"endpoint_url": ""}, "endpoint_url"),
        ({"filter": {"exactly": {}}}, "filter"),
        ({"filter": {"jmespath": "a ||"}}, "filter"),
        ({"body": "mapped", "mapping": ""}, "mapping"),
        ({"event_types": ["com.acme.other.thing.done"]}, "event_types"),
        ({"version_pin": 2}, "version_pin"),
        ({"concurrency": 0}, "concurrency"),
        ({"timeout_seconds": 1000}, "timeout_seconds"),
        ({"retry_waits_seconds": [1] * 50}, "retry_waits_seconds"),
        ({"mode": "pigeon"}, "mode"),
        ({"endpoint_region": "mars"}, "endpoint_region"),
    ],
)
def test_each_bad_wish_is_refused_at_its_field(
    flow: Flow, wishes: dict[str, object], field: str
) -> None:
    assert fields_at_fault(flow, **wishes) == {field}


def test_every_fault_is_told_at_once(flow: Flow) -> None:
    assert fields_at_fault(flow, endpoint_url="", version_pin=9, concurrency=0) == {
        "endpoint_url",
        "version_pin",
        "concurrency",
    }


def test_an_endpoint_outside_the_topics_regions_is_refused(flow: Flow) -> None:
    factories.make_region("us", name="United States")
    bound = factories.make_topic(regions=["us"])
    factories.make_grant(flow.application, topic=bound)
    with pytest.raises(ValidationError, match="stay in United States"):
        subscriptions.create(
            application=flow.application,
            topic=bound,
            environment=Environment.PRODUCTION,
            by=flow.owner,
            now=timezone.now(),
            endpoint_url=URL,
        )


def test_the_test_address_of_n8n_gets_advice() -> None:
    url = "https://flows.example.com/webhook-test/orders"
    assert any("activate the workflow" in one for one in orders.advice(Order(endpoint_url=url)))
    assert not orders.advice(Order(endpoint_url=URL))


def test_changing_keeps_what_is_not_named(flow: Flow) -> None:
    made, _secret = flow.create(event_types=[TYPE], concurrency=3)
    changed = subscriptions.change(
        made, by=flow.owner, now=timezone.now(), endpoint_url=f"{URL}/2", version_pin=1
    )
    assert changed.endpoint is not None
    assert (changed.endpoint.url, changed.version_pin) == (f"{URL}/2", 1)
    assert (changed.concurrency, changed.event_types) == (3, [TYPE])
    entry = LedgerEntry.objects.get(action="subscription:change")
    assert set(entry.after) == {"endpoint_url", "version_pin"}


def test_pausing_twice_is_too_late(flow: Flow) -> None:
    made, _secret = flow.create()
    subscriptions.pause(made, by=flow.owner, now=timezone.now())
    with pytest.raises(IllegalMove):
        subscriptions.pause(made, by=flow.owner, now=timezone.now())


def test_a_disabled_one_says_why_and_can_be_resumed(flow: Flow) -> None:
    made, _secret = flow.create()
    disabled = subscriptions.disable(made, because=DisableReason.GONE, now=timezone.now())
    assert (disabled.state, disabled.state_reason) == ("disabled", "gone")
    resumed = subscriptions.resume(disabled, by=flow.owner, now=timezone.now())
    assert (resumed.state, resumed.state_reason) == ("active", "")


def test_resuming_leaves_the_age_of_what_waited_where_it_was(flow: Flow) -> None:
    made, _secret = flow.create()
    row = owe(made)
    paused_at = timezone.now()
    subscriptions.pause(made, by=flow.owner, now=paused_at)
    subscriptions.resume(made, by=flow.owner, now=paused_at + timedelta(hours=3))
    assert QueueRow.objects.get(pk=row.pk).waited_seconds == 3 * 3600


def test_the_backlog_says_how_much_and_how_old(flow: Flow) -> None:
    made, _secret = flow.create()
    assert backlogs.of_one(made).count == 0
    owe(made)
    owe(made)
    found = backlogs.of_one(made)
    assert found.count == 2
    assert found.oldest_at is not None
    assert timezone.now() - found.oldest_at < timedelta(seconds=30)


def test_ending_discards_the_backlog_and_says_so(flow: Flow) -> None:
    made, _secret = flow.create()
    owe(made)
    ended = subscriptions.end(made, by=flow.owner, now=timezone.now())
    assert ended.ended_at is not None
    delivery = Delivery.objects.get()
    assert delivery.status == DeliveryStatus.DISCARDED
    assert delivery.reason
    assert not QueueRow.objects.exists()
    with pytest.raises(IllegalMove):
        subscriptions.end(made, by=flow.owner, now=timezone.now())


def test_two_secrets_are_valid_while_one_is_rotated_out(flow: Flow) -> None:
    made, first = flow.create()
    now = timezone.now()
    second = signing_secrets.rotate(made, by=flow.owner, now=now)
    assert made.endpoint is not None
    assert endpoints.signing_secrets(made.endpoint, now=now) == [second, first]
    later = now + timedelta(hours=25)
    assert endpoints.signing_secrets(made.endpoint, now=later) == [second]


def test_a_second_rotation_ends_the_oldest_secret_at_once(flow: Flow) -> None:
    made, _first = flow.create()
    now = timezone.now()
    second = signing_secrets.rotate(made, by=flow.owner, now=now)
    third = signing_secrets.rotate(made, by=flow.owner, now=now + timedelta(seconds=1))
    assert made.endpoint is not None
    later = now + timedelta(seconds=2)
    assert endpoints.signing_secrets(made.endpoint, now=later) == [third, second]


def test_an_overlap_of_more_than_a_week_is_refused(flow: Flow) -> None:
    made, _secret = flow.create()
    with pytest.raises(ValidationError):
        signing_secrets.rotate(made, by=flow.owner, now=timezone.now(), overlap=timedelta(days=8))


def test_looking_at_a_secret_is_in_the_ledger(flow: Flow) -> None:
    made, secret = flow.create()
    assert signing_secrets.reveal(made, by=flow.owner, now=timezone.now()) == secret
    assert LedgerEntry.objects.filter(action="secret:view", actor_id=flow.owner.pk).exists()


def test_credentials_come_back_as_they_were_sealed(flow: Flow) -> None:
    given = endpoints.Credentials(
        headers={"X-Token": "t"}, auth=Basic(username="ada", password="p")
    )
    made, _secret = flow.create(credentials=given)
    endpoint = Endpoint.objects.get(subscriptions=made)
    assert endpoints.credentials_of(endpoint) == given
    assert "X-Token" not in endpoint.sealed_auth


def test_a_seal_that_no_key_opens_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    token = sealing.seal("secret")
    monkeypatch.setattr(
        "django.conf.settings.FIELD_ENCRYPTION_KEYS", [Fernet.generate_key().decode()]
    )
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(token)


VERBS = [
    subscriptions.pause,
    subscriptions.end,
    subscriptions.ping,
    signing_secrets.rotate,
    signing_secrets.reveal,
]


@pytest.mark.parametrize("verb", VERBS)
def test_a_stranger_can_do_nothing_with_it(flow: Flow, verb: Callable[..., object]) -> None:
    made, _secret = flow.create()
    with pytest.raises(PermissionDenied):
        verb(made, by=flow.stranger, now=timezone.now())


def test_an_inactive_owner_can_do_nothing_with_it(flow: Flow) -> None:
    made, _secret = flow.create()
    gone = factories.make_person(team=flow.application.team, is_active=False)
    with pytest.raises(PermissionDenied):
        subscriptions.pause(made, by=gone, now=timezone.now())


def test_support_may_pause_and_test_every_subscription(flow: Flow) -> None:
    made, _secret = flow.create()
    support = factories.make_person(role=roles.SUPPORT)
    paused = subscriptions.pause(made, by=support, now=timezone.now())
    assert paused.state == SubscriptionState.PAUSED


def owe(subscription: Subscription) -> QueueRow:
    now = timezone.now()
    delivery = Delivery.objects.create(
        event_id=uuid7(), subscription=subscription, environment=subscription.environment
    )
    return QueueRow.objects.create(
        delivery_id=delivery.pk,
        subscription_id=subscription.pk,
        event_id=delivery.event_id,
        due_at=now,
        first_attempt_at=now,
    )


def test_a_ping_arrives_signed_and_marked_as_a_test(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.DELIVERY_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    with receiver.Receiver().running() as endpoint:
        made, secret = flow.create(endpoint_url=endpoint.url())
        result = subscriptions.ping(made, by=flow.owner, now=timezone.now())
    assert (result.ok, result.status, result.excerpt) == (True, 200, "ok")
    (got,) = endpoint.got
    assert got.headers["ce-type"] == "signalbox.ping"
    signing.verify(
        [secret],
        message_id=got.id,
        timestamp=got.headers["webhook-timestamp"],
        signature=got.headers["webhook-signature"],
        body=got.body,
        now=time.time(),
    )
    assert LedgerEntry.objects.get(action="subscription:test").after["ok"] is True
    assert not QueueRow.objects.exists()


def test_a_ping_that_fails_says_why_and_what_to_do(
    flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django.conf.settings.DELIVERY_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    with receiver.Receiver().running() as endpoint:
        endpoint.reply = lambda _got, _before: receiver.Reply(status=404, body="no such flow")
        made, _secret = flow.create(endpoint_url=endpoint.url())
        result = subscriptions.ping(made, by=flow.owner, now=timezone.now())
    assert (result.ok, result.status, result.excerpt) == (False, 404, "no such flow")
    assert result.sentence
    assert result.advice
    assert LedgerEntry.objects.get(action="subscription:test").after["ok"] is False
