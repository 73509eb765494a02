"""A portal with a row of every kind, for tests of the Django admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.house_rules import HouseRule, Weight
from catalog.ids import uuid7
from catalog.models import RuleWeight, User
from catalog.words import Environment
from delivery.models import (
    Adapter,
    Attempt,
    ContractBreach,
    DeadLetter,
    Delivery,
    EndpointSecret,
    EventIdentity,
    EventValue,
    Expunction,
    FailureGroup,
    FeedPosition,
    FilteredCount,
    NewsChoice,
    Notification,
    ParkedKey,
    PortalEvent,
    QueueRow,
    ReplayItem,
    Rollup,
    RollupMark,
    RoutingDecision,
    Translation,
)
from delivery.states import DeliveryStatus
from governance import people, roles
from governance.governed import governed
from governance.models import CheckResult, Comment, Refusal, Review
from governance.states import Decision, Outcome
from tests.factories import (
    make_access_request,
    make_adapter,
    make_change_request,
    make_delivery,
    make_event,
    make_event_type,
    make_failure_group,
    make_grant,
    make_key,
    make_letter,
    make_person,
    make_replay,
    make_rule,
    make_runbook,
    make_subscription,
    make_team,
    make_topic,
    make_version,
)

OURS = ("catalog", "governance", "delivery")


def make_staff(role: str = roles.ADMIN) -> User:
    """Return somebody whom a role lets into the admin."""
    person = make_person(role=None)
    people.give_role(person, role, by=make_person(role=roles.ADMIN), now=timezone.now())
    person.refresh_from_db()
    return person


def sign_in(client: Client, person: User) -> Client:
    """Return the client, signed in."""
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def model_admins() -> dict[type[models.Model], Any]:
    """Return the admin class of each model of ours, historical ones included."""
    return {
        model: one for model, one in admin.site._registry.items() if model._meta.app_label in OURS
    }


def list_url(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_url(row: models.Model, page: str = "change") -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[row.pk])


def make_dead_letter(group: FailureGroup | None = None) -> DeadLetter:
    """Return a dead letter with its delivery and two attempts."""
    topic = make_topic()
    event_type = make_event_type(topic=topic)
    make_version(event_type=event_type)
    event = make_event(event_type=event_type)
    subscription = group.subscription if group else make_subscription(topic=topic)
    group = group or make_failure_group(subscription)
    now = timezone.now()
    delivery = make_delivery(
        event,
        subscription=subscription,
        status=DeliveryStatus.DEAD,
        ended_at=now,
        failure_group=group,
    )
    _try_twice(delivery, now)
    return make_letter(delivery, group=group, attempts=2)


def _try_twice(delivery: Delivery, now: datetime) -> None:
    for number in (1, 2):
        Attempt.objects.create(
            delivery=delivery,
            subscription_id=delivery.subscription_id,
            number=number,
            started_at=now,
            duration_ms=40 + number,
            outcome="failed",
            status_code=500,
            error_class="http_status",
            message="Internal Server Error",
            response_excerpt="the sheet is full",
        )


def make_one_of_each() -> None:
    """Put at least one row into every table of ours."""
    letter = make_dead_letter()
    _govern()
    _deliver(letter)


def _govern() -> None:
    now = timezone.now()
    make_grant()
    make_grant(make_team())
    make_access_request()
    make_key()
    make_adapter()
    change = make_change_request()
    person = make_person()
    with governed(by=None, now=now):
        RuleWeight.objects.update_or_create(
            rule=HouseRule.FIELD_HAS_MEANING, defaults={"weight": Weight.ERROR}
        )
        Review.objects.create(
            change_request=change,
            reviewer=person,
            decision=Decision.values[0],
            proposal_sha256="0" * 64,
            decided_at=now,
        )
        Comment.objects.create(change_request=change, author=person, text="Why?", written_at=now)
        Translation.objects.create(
            event_type=make_event_type(topic=change.topic),
            from_major=2,
            to_major=1,
            mapping="@",
            change_request=change,
            since=now,
        )
    CheckResult.objects.create(
        change_request=change,
        check_name="lint",
        proposal_sha256="0" * 64,
        outcome=Outcome.values[0],
        summary="Fine.",
        ran_at=now,
    )
    Refusal.objects.create(
        who_id=str(person.pk), who_name="Person", action="topic:view", subject="x", minute=now
    )


def _deliver(letter: DeadLetter) -> None:
    now = timezone.now()
    subscription = letter.subscription
    replay = make_replay(subscription)
    make_runbook(subscription)
    ReplayItem.objects.create(replay=replay, event_id=letter.event_id, subscription=subscription)
    QueueRow.objects.create(
        delivery_id=uuid7(), subscription_id=subscription.pk, event_id=letter.event_id, due_at=now
    )
    Expunction.objects.create(
        event_id=letter.event_id,
        reason="She asked us to.",
        expunged_by=make_person(),
        expunged_at=now,
    )
    EventIdentity.objects.create(
        digest=uuid7().bytes, event_id=letter.event_id, content_digest=uuid7().bytes
    )
    Rollup.objects.create(
        grain="minute",
        at=now,
        environment=Environment.PRODUCTION,
        topic_id=subscription.topic_id,
    )
    rule = make_rule(subscription.topic)
    RoutingDecision.objects.create(
        event_id=letter.event_id,
        subscription=subscription,
        rule=rule,
        rule_version=rule.version,
        effect="denied",
    )
    EventValue.objects.create(
        digest=uuid7().bytes, event_id=letter.event_id, topic_id=subscription.topic_id
    )
    RollupMark.objects.create(name=str(uuid7()), at=now)
    FilteredCount.objects.create(subscription_id=subscription.pk, minute=now, count=2)
    ContractBreach.objects.create(
        version_id=uuid7(), environment="staging", application_id=uuid7(), day=now.date(), count=2
    )
    FeedPosition.objects.create(subscription=subscription)
    ParkedKey.objects.create(
        subscription=subscription, order_key="A-1", delivery_id=uuid7(), parked_at=timezone.now()
    )
    Notification.objects.create(
        user=make_person(), kind="failure", key=str(uuid7()), text="It fails.", created_at=now
    )
    PortalEvent.objects.create(
        key=str(uuid7()),
        type="portal.operations.circuit.opened",
        environment=Environment.PRODUCTION,
        data={},
        happened_at=now,
    )
    NewsChoice.objects.create(user=make_person(), kind="failure", mail="daily")
    with governed(by=None, now=now):
        Adapter.objects.create(
            slug=str(uuid7()),
            name="Orders in",
            application=subscription.application,
            environment=Environment.PRODUCTION,
            event_type=make_event_type(topic=subscription.topic),
            secret_name="X-Secret",
            sealed="sealed-text",
            created_at=now,
        )
        assert subscription.endpoint is not None
        EndpointSecret.objects.create(
            endpoint=subscription.endpoint, sealed="sealed-text", created_at=now
        )
