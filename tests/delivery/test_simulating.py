"""A draft is tried on a staging subscription before anybody approves it; production never hears."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from catalog.models import Topic, User
from delivery import simulating
from delivery.models import Attempt, Circuit, Delivery, Event, Subscription
from governance import reviews, roles
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind
from tests import factories
from tests.asking import person, pointers
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.test_contract_checks import SCHEMA
from tests.visitors import signed_in, text_of

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SAMPLE: dict[str, Any] = {"order_id": "A-1", "amount": 2, "country": "DE"}


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    settings.DELIVERY_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with Receiver().running() as running:
        yield running


@pytest.fixture
def change(db: None) -> ChangeRequest:
    version = factories.make_version(document=SCHEMA)
    author = factories.make_person(team=version.event_type.topic.owner)
    return reviews.propose(
        ChangeKind.SCHEMA_VERSION,
        event_type=version.event_type,
        reason="Tax.",
        proposal={
            "version": "1.1.0",
            "document": json.dumps({**SCHEMA, "required": ["order_id", "country"]}),
            "example": json.dumps(SAMPLE),
        },
        by=author,
        now=NOW,
    )


@pytest.fixture
def staging(change: ChangeRequest, receiver: Receiver) -> Subscription:
    crm = factories.make_application("crm", team=change.topic.owner)
    return factories.make_subscription(
        crm, topic=change.topic, url=receiver.url(), environment="staging", name="CRM staging"
    )


def test_the_sample_arrives_under_the_draft_version_and_leaves_only_a_ledger_entry(
    change: ChangeRequest, staging: Subscription, receiver: Receiver
) -> None:
    by = change.proposed_by
    found = simulating.simulate(change, staging, by=by, now=NOW)
    assert (found.ok, found.status) == (True, 200)
    (got,) = receiver.got
    assert json.loads(got.body) == SAMPLE
    assert got.headers["ce-dataschema"].endswith("/versions/1.1.0/schema")
    assert got.headers["ce-test"] == "true"
    assert not Event.objects.exists()
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()
    assert Circuit.objects.get(pk=staging.pk).last_success_at is None
    entry = LedgerEntry.objects.get(action="subscription:test")
    assert entry.after["change"] == str(change)


def test_a_recorded_staging_event_is_tried_on_the_page_and_its_breaches_told(
    change: ChangeRequest, staging: Subscription, receiver: Receiver
) -> None:
    receiver.reply = lambda _got, _before: Reply(status=422, body="no country")
    event = factories.make_event(
        event_type=change.event_type, environment="staging", data={"order_id": "B"}
    )
    client = signed_in(change.proposed_by)
    page = reverse("governance:change-request-detail", args=[change.number])
    assert "CRM staging" in text_of(client.get(page))
    sent = client.post(
        reverse("delivery:simulate", args=[change.number]),
        {"subscription": str(staging.pk), "event": str(event.pk)},
    )
    assert sent.status_code == 302
    shown = text_of(client.get(page))
    assert "no country" in shown
    assert "“country” is missing" in shown
    assert "no country" not in text_of(client.get(page))  # told once


@pytest.mark.parametrize(
    "what", ["production", "shared", "event", "decided", "feed", "region", "grant"]
)
def test_production_and_what_is_no_draft_are_refused(
    change: ChangeRequest, staging: Subscription, receiver: Receiver, what: str
) -> None:
    by, event, subscription = change.proposed_by, None, staging
    if what == "production":
        subscription = factories.make_subscription(
            staging.application, topic=change.topic, url=receiver.url("/live")
        )
    elif what == "shared":
        factories.make_subscription(staging.application, topic=change.topic, url=receiver.url())
    elif what == "event":
        event = factories.make_event(event_type=change.event_type)
    elif what == "region":
        Topic.objects.filter(pk=change.topic_id).update(regions=["us"])
        change.topic.refresh_from_db()
    elif what == "grant":
        elsewhere = factories.make_application(team=change.topic.owner)
        Topic.objects.filter(pk=change.topic_id).update(is_restricted=True)
        subscription = factories.make_subscription(
            elsewhere,
            topic=change.topic,
            url=receiver.url("/other"),
            environment="staging",
            is_granted=False,
        )
    elif what == "decided":
        change = reviews.withdraw(change, by=by, now=NOW)
    else:
        subscription = factories.make_subscription(
            staging.application, topic=change.topic, environment="staging", mode="pull"
        )
        Subscription.objects.filter(pk=subscription.pk).update(endpoint=None)
        subscription = Subscription.objects.get(pk=subscription.pk)
    with pytest.raises(ValidationError):
        simulating.simulate(change, subscription, event=event, by=by, now=NOW)
    assert not receiver.got


def test_nobody_sends_to_what_is_not_theirs(
    change: ChangeRequest, staging: Subscription, receiver: Receiver
) -> None:
    stranger = factories.make_person()
    with pytest.raises(PermissionDenied):
        simulating.simulate(change, staging, by=stranger, now=NOW)
    change = reviews.open_(change, by=change.proposed_by, now=NOW)
    with pytest.raises(PermissionDenied):
        simulating.simulate(change, staging, by=stranger, now=NOW)
    page = reverse("delivery:simulate", args=[change.number])
    refused = signed_in(stranger).post(page, {"subscription": str(staging.pk)})
    assert refused.status_code == 404
    odd: User = change.proposed_by
    assert signed_in(odd).post(page, {"subscription": "x"}).status_code == 302
    assert not receiver.got


def test_the_machine_door_sends_and_says_what_came_back(
    change: ChangeRequest, staging: Subscription, receiver: Receiver
) -> None:
    door = f"change-requests/{change.pk}/simulate"
    event = factories.make_event(
        event_type=change.event_type, environment="staging", data={"order_id": "B"}
    )
    author = person(change.proposed_by)
    told = author.post(door, {"subscription": str(staging.pk), "event": str(event.pk)})
    assert told.status_code == 200, told.content
    assert (told.json()["ok"], told.json()["status"]) == (True, 200)
    assert "“country” is missing" in told.json()["breaches"][0]
    sample = author.post(door, {"subscription": str(staging.pk)})
    assert sample.json()["breaches"] == []
    assert [json.loads(one.body)["order_id"] for one in receiver.got] == ["B", "A-1"]


def test_the_machine_door_sends_nothing_for_who_may_not_and_nothing_unknown(
    change: ChangeRequest, staging: Subscription, receiver: Receiver
) -> None:
    door, unknown = f"change-requests/{change.pk}/simulate", "01a205c8-d8dc-780a-9432-a0fe4a8364e7"
    sent = {"subscription": str(staging.pk)}
    stranger = person(factories.make_person())
    assert stranger.post(door, sent).status_code == 404  # a draft is its author's alone
    author = person(change.proposed_by)
    assert pointers(author.post(door, {"subscription": unknown})) == {"/subscription"}
    assert pointers(author.post(door, {**sent, "event": unknown})) == {"/event"}
    assert pointers(author.post(door, {"subscription": "x"})) == {"/subscription"}
    change = reviews.open_(change, by=change.proposed_by, now=NOW)
    reviewer = person(factories.make_person(role=roles.REVIEWER))
    assert reviewer.post(door, sent).status_code == 403
    assert not receiver.got
