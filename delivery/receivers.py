"""What news lead to: people are told, and workers are woken for what changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.dispatch import receiver
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext_lazy

from catalog.models import Release, Topic, User
from delivery import batching, change_news, diagnosis, entitling, notifications, signals, waking
from delivery.models import FailureGroup, Replay, Subscription
from delivery.news_kinds import NewsKind
from delivery.states import DisableReason
from governance import access
from governance import signals as governance_signals
from governance.actions import Action
from governance.models import AccessRequest, ChangeRequest, Grant, Review
from governance.states import RequestState, Verb


@receiver(signals.failure_opened, dispatch_uid="delivery.tell_failure_opened")
@receiver(signals.failure_reopened, dispatch_uid="delivery.tell_failure_reopened")
def tell_failure(thing: FailureGroup, now: datetime, **_news: object) -> None:
    """Tell who can mend it that events have not arrived."""
    kind = thing.subscription.application.kind
    said = diagnosis.explain(thing.error_class, thing.status_code, kind=kind)
    notifications.notify(
        access.people_who_can(Action.FAILURE_HANDLE, thing),
        kind=NewsKind.FAILURE,
        key=f"{thing.pk}:{now:%Y%m%d%H}",
        text=gettext_lazy("Events do not reach %(name)s. %(what)s"),
        words={"name": thing.subscription.name, "what": said.what},
        path=_path("delivery:failure-detail", thing.number),
        now=now,
    )


@receiver(governance_signals.topic_changed, dispatch_uid="delivery.follow_topic")
def follow_topic(thing: Topic, changed: Collection[str], now: datetime, **_news: object) -> None:
    """Let what is collected go by the topic's new rule."""
    if any(name == "kind" or name.startswith("batch_") for name in changed):
        batching.follow_topic(thing.pk, now=now)


@receiver(signals.failure_assigned, dispatch_uid="delivery.tell_failure_assigned")
def tell_failure_assigned(thing: FailureGroup, by: User, now: datetime, **_news: object) -> None:
    """Tell somebody that another person put their name on a failure."""
    if thing.assignee is None or thing.assignee == by:
        return
    notifications.notify(
        [thing.assignee],
        kind=NewsKind.FAILURE,
        key=f"assigned:{thing.pk}:{now:%Y%m%d%H}",
        text=gettext_lazy("%(who)s gave you a failure: events do not reach %(name)s."),
        words={"who": by.display_name, "name": thing.subscription.name},
        path=_path("delivery:failure-detail", thing.number),
        now=now,
    )


@receiver(signals.circuit_opened, dispatch_uid="delivery.tell_circuit_opened")
def tell_circuit_opened(thing: Subscription, now: datetime, **_news: object) -> None:
    """Tell the owners that an endpoint no longer answers."""
    _tell_owners(
        thing,
        kind=NewsKind.CIRCUIT,
        key=f"{thing.pk}:{now:%Y%m%d%H}",
        text=gettext_lazy(
            "%(name)s does not answer. Deliveries wait; none is lost, and no retry is used."
        ),
        now=now,
    )


@receiver(signals.circuit_closed, dispatch_uid="delivery.tell_circuit_closed")
def tell_circuit_closed(thing: Subscription, now: datetime, **_news: object) -> None:
    """Tell the owners that it answers again."""
    _tell_owners(
        thing,
        kind=NewsKind.RECOVERED,
        key=f"{thing.pk}:{now:%Y%m%d%H}",
        text=gettext_lazy("%(name)s answers again. What waited is on its way."),
        now=now,
    )


@receiver(signals.delivery_failing, dispatch_uid="delivery.tell_delivery_failing")
def tell_delivery_failing(thing: Subscription, now: datetime, **_news: object) -> None:
    """Warn the owners while there is still time to mend it."""
    _tell_owners(
        thing,
        kind=NewsKind.FAILING,
        key=f"{thing.pk}:{now:%Y%m%d}",
        text=gettext_lazy("An event for %(name)s has failed four times. It is tried again."),
        now=now,
    )


@receiver(signals.endpoint_failing, dispatch_uid="delivery.tell_endpoint_failing")
def tell_endpoint_failing(
    thing: Subscription, percent: int, now: datetime, **_news: object
) -> None:
    """Warn the owners that sending will stop."""
    _tell_owners(
        thing,
        kind=NewsKind.FAILING_FOR_DAYS,
        key=f"{thing.pk}:{percent}:{now:%Y%m%d}",
        text=gettext_lazy(
            "%(name)s has failed for %(percent)s %% of the five days after which sending stops."
        ),
        now=now,
        percent=percent,
    )


@receiver(signals.subscription_disabled, dispatch_uid="delivery.tell_disabled")
def tell_disabled(thing: Subscription, now: datetime, **_news: object) -> None:
    """Tell the owners that Signalbox stopped sending, and why."""
    _tell_owners(
        thing,
        kind=NewsKind.DISABLED,
        key=f"{thing.pk}:{thing.state_since:%Y%m%d%H%M}",
        text=gettext_lazy("Signalbox stopped sending to %(name)s. %(why)s"),
        now=now,
        why=diagnosis.explain_disabled(thing.state_reason or DisableReason.FAILING),
    )


@receiver(signals.replay_awaits_approval, dispatch_uid="delivery.tell_replay_awaits")
def tell_replay_awaits(thing: Replay, now: datetime, **_news: object) -> None:
    """Ask somebody else to approve a large replay."""
    people = access.people_who_can(Action.REPLAY_MANY, thing).exclude(pk=thing.requested_by_id)
    notifications.notify(
        people,
        kind=NewsKind.REPLAY_APPROVAL,
        key=str(thing.pk),
        text=gettext_lazy("%(who)s asks to replay %(count)s events. A second person must approve."),
        words={"who": thing.requested_by.display_name, "count": thing.matched},
        path=_path("delivery:replay-detail", thing.number),
        now=now,
    )


@receiver(signals.replay_held, dispatch_uid="delivery.tell_replay_held")
def tell_replay_held(thing: Replay, now: datetime, **_news: object) -> None:
    """Tell who ordered it that the first event did not arrive, so nothing more is sent."""
    notifications.notify(
        [thing.requested_by],
        kind=NewsKind.REPLAY_HELD,
        key=f"{thing.pk}:{now:%Y%m%d%H%M}",
        text=gettext_lazy("%(replay)s waits: its first event did not arrive."),
        words={"replay": str(thing)},
        path=_path("delivery:replay-detail", thing.number),
        now=now,
    )


@receiver(signals.replay_ended, dispatch_uid="delivery.tell_replay_ended")
def tell_replay_ended(thing: Replay, arrived: int, now: datetime, **_news: object) -> None:
    """Tell who ordered it how it ended."""
    notifications.notify(
        [thing.requested_by],
        kind=NewsKind.REPLAY_ENDED,
        key=str(thing.pk),
        text=ngettext_lazy(
            "%(arrived)s of %(matched)s replayed event arrived.",
            "%(arrived)s of %(matched)s replayed events arrived.",
            thing.matched,
        ),
        words={"arrived": arrived, "matched": thing.matched},
        path=_path("delivery:replay-detail", thing.number),
        now=now,
    )


@receiver(governance_signals.grant_given, dispatch_uid="delivery.after_given")
def after_grant_given(thing: Grant, now: datetime, **_news: object) -> None:
    """Let subscriptions go on that waited for it."""
    entitling.go_on(thing, now=now)


@receiver(governance_signals.grant_revoked, dispatch_uid="delivery.after_revoked")
@receiver(governance_signals.grant_expired, dispatch_uid="delivery.after_expired")
def after_grant_ended(thing: Grant, now: datetime, **_news: object) -> None:
    """Stop what went by it, tell whom it concerns, and have the backlog end at once."""
    entitling.stop(thing, now=now)
    team = thing.team or (thing.application.team if thing.application else None)
    if team is not None:
        notifications.notify(
            notifications.members(team),
            kind=NewsKind.GRANT_ENDED,
            key=str(thing.pk),
            text=gettext_lazy("%(who)s may no longer %(verb)s %(topic)s."),
            words={
                "who": str(thing.grantee),
                "verb": Verb(thing.verb).label.lower(),
                "topic": thing.topic.name,
            },
            path=_path("governance:access"),
            now=now,
        )
    owed = Subscription.objects.standing().filter(topic=thing.topic).values_list("pk", flat=True)
    ids = list(owed)
    transaction.on_commit(lambda: waking.wake(ids), robust=True)


@receiver(governance_signals.grant_ending, dispatch_uid="delivery.tell_grant_ending")
def tell_grant_ending(thing: Grant, days: int, now: datetime, **_news: object) -> None:
    """Tell whose flows will stop while there is time to ask for more."""
    team = thing.team or (thing.application.team if thing.application else None)
    if team is None or thing.until is None:
        return
    notifications.notify(
        notifications.members(team),
        kind=NewsKind.GRANT_ENDING,
        key=f"{thing.pk}:{thing.until:%Y%m%d}:{days}",
        text=gettext_lazy(
            "%(who)s may %(verb)s %(topic)s until %(until)s. Ask for a later end before it stops."
        ),
        words={
            "who": str(thing.grantee),
            "verb": Verb(thing.verb).label.lower(),
            "topic": thing.topic.name,
            "until": date_format(timezone.localtime(thing.until), "j F Y"),
        },
        path=_path("governance:access"),
        now=now,
    )


@receiver(governance_signals.access_requested, dispatch_uid="delivery.tell_access_requested")
def tell_access_requested(thing: AccessRequest, now: datetime, **_news: object) -> None:
    """Ask those who decide."""
    notifications.notify(
        access.people_who_can(Action.ACCESS_REQUEST_DECIDE, thing),
        kind=NewsKind.ACCESS_REQUESTED,
        key=str(thing.pk),
        text=gettext_lazy("%(who)s asks to %(verb)s to %(topic)s."),
        words={
            "who": str(thing.grantee),
            "verb": Verb(thing.verb).label.lower(),
            "topic": thing.topic.name,
        },
        path=_path("governance:access-request-detail", thing.number),
        now=now,
    )


@receiver(governance_signals.access_decided, dispatch_uid="delivery.tell_access_decided")
def tell_access_decided(thing: AccessRequest, now: datetime, **_news: object) -> None:
    """Tell who asked."""
    text = (
        gettext_lazy("%(who)s may now %(verb)s %(topic)s.")
        if thing.state == RequestState.APPROVED
        else gettext_lazy("%(who)s does not get access to %(topic)s. %(note)s")
    )
    notifications.notify(
        [thing.requested_by],
        kind=NewsKind.ACCESS_DECIDED,
        key=str(thing.pk),
        text=text,
        words={
            "who": str(thing.grantee),
            "verb": Verb(thing.verb).label.lower(),
            "topic": thing.topic.name,
            "note": thing.decision_note,
        },
        path=_path("governance:access-request-detail", thing.number),
        now=now,
    )


@receiver(governance_signals.change_opened, dispatch_uid="delivery.tell_change_opened")
def tell_change_opened(thing: ChangeRequest, now: datetime, **_news: object) -> None:
    """Ask those who may approve."""
    notifications.notify(
        access.people_who_can(Action.CHANGE_APPROVE, thing),
        kind=NewsKind.REVIEW,
        key=f"{thing.pk}:{now:%Y%m%d}",
        text=gettext_lazy("%(change)s waits for a review: %(title)s"),
        words={"change": str(thing), "title": thing.title},
        path=_path("governance:change-request-detail", thing.number),
        now=now,
    )


@receiver(governance_signals.change_opened, dispatch_uid="delivery.ask_subscribers")
def ask_subscribers(thing: ChangeRequest, now: datetime, **_news: object) -> None:
    """Ask the teams whose subscriptions break."""
    change_news.ask_subscribers([thing], now=now)


@receiver(governance_signals.change_signed_off, dispatch_uid="delivery.tell_signed_off")
def tell_signed_off(thing: Review, now: datetime, **_news: object) -> None:
    """Tell who proposed the change what a subscriber says."""
    change_news.tell_signed_off(thing, now=now)


@receiver(governance_signals.version_ending, dispatch_uid="delivery.tell_version_ending")
def tell_version_ending(thing: Release, days: int, now: datetime, **_news: object) -> None:
    """Remind who still uses the version."""
    change_news.tell_deprecated(thing, now=now, days=days)


@receiver(governance_signals.version_deprecated, dispatch_uid="delivery.tell_deprecated")
def tell_deprecated(thing: Release, now: datetime, **_news: object) -> None:
    """Tell everybody who uses the version when it ends, and what takes its place."""
    change_news.tell_deprecated(thing, now=now)


@receiver(governance_signals.change_decided, dispatch_uid="delivery.tell_change_decided")
def tell_change_decided(thing: ChangeRequest, now: datetime, **_news: object) -> None:
    """Tell who proposed it."""
    notifications.notify(
        [thing.proposed_by],
        kind=NewsKind.REVIEW_DECIDED,
        key=f"{thing.pk}:{thing.state}:{now:%Y%m%d%H%M}",
        text=gettext_lazy("%(change)s is %(state)s now: %(title)s"),
        words={"change": str(thing), "state": thing.get_state_display(), "title": thing.title},
        path=_path("governance:change-request-detail", thing.number),
        now=now,
    )


def _tell_owners(
    subscription: Subscription,
    *,
    kind: NewsKind,
    key: str,
    text: str | Promise,
    now: datetime,
    **words: object,
) -> None:
    notifications.notify(
        access.people_who_can(Action.SUBSCRIPTION_PAUSE, subscription),
        kind=kind,
        key=key,
        text=text,
        words={"name": subscription.name, **words},
        path=_path("delivery:subscription-detail", subscription.number),
        now=now,
    )


def _path(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
