"""What needs this person now, and what the last day was like, from every app's query words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import wording
from catalog.models import Application, User
from delivery import diagnosis
from delivery.models import FailureGroup, Replay, Rollup, Subscription
from delivery.models.counts import Grain
from delivery.states import CircuitState, FailureGroupState, ReplayState, SubscriptionState
from governance import access, reviews
from governance.actions import Action
from governance.models import AccessRequest, ChangeRequest, Grant
from governance.states import ChangeState

Text = str | Promise
MOST = 8  # of one kind; the rest stands behind the link
ENDS_SOON = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One thing that waits for a person: a sentence, why, since when, and the button that helps."""

    tone: str
    title: str
    href: str
    action: str
    text: Text = ""
    icon: str = ""
    facts: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """The last 24 hours of an environment."""

    published: int
    delivered: int
    first_try: int
    dead: int

    @property
    def first_try_percent(self) -> float | None:
        """Return the share that arrived at the first try; None when nothing was delivered."""
        return 100 * self.first_try / self.delivered if self.delivered else None


def needs(user: User, *, environment: str, now: datetime) -> list[Need]:
    """Return what waits for the person, the worst first; a fixed number of queries."""
    sources: Sequence[Callable[[User, str, datetime], Iterator[Need]]] = (
        _failures,
        _stopped,
        _access_requests,
        _sign_offs,
        _reviews,
        _own_changes,
        _replays,
        _ending_grants,
        _unconnected,
    )
    return [need for source in sources for need in source(user, environment, now)]


def _failures(user: User, environment: str, now: datetime) -> Iterator[Need]:
    groups = access.restrict(FailureGroup.objects.unsettled(), user, Action.FAILURE_VIEW)
    found = groups.filter(environment=environment, open_count__gt=0).with_names()
    for group in found.order_by("-open_count")[:MOST]:
        application = group.subscription.application
        told = diagnosis.explain(group.error_class, group.status_code, kind=application.kind)
        yield Need(
            tone="bad",
            title=ngettext(
                "%(count)s event has not reached %(name)s",
                "%(count)s events have not reached %(name)s",
                group.open_count,
            )
            % {"count": group.open_count, "name": group.subscription.name},
            text=told.sentence,
            href=reverse("delivery:failure-detail", args=[group.number]),
            action=_("Understand and mend"),
            facts=(
                _("Owner %s") % application.team.name,
                _("%s is on it") % group.assignee if group.assignee else _("Nobody is on it"),
            ),
            since=group.first_seen_at,
        )


def _stopped(user: User, environment: str, now: datetime) -> Iterator[Need]:
    seen = access.restrict(Subscription.objects.standing(), user, Action.SUBSCRIPTION_CHANGE)
    mine = seen.filter(environment=environment).with_names()
    for one in mine.filter(state=SubscriptionState.DISABLED).order_by("name")[:MOST]:
        yield Need(
            tone="bad",
            icon="no-symbol",
            title=_("%s is disabled") % one.name,
            text=diagnosis.explain_disabled(one.state_reason),
            href=reverse("delivery:subscription-detail", args=[one.number]),
            action=_("See the fix"),
            since=one.state_since,
        )
    open_ = mine.filter(state=SubscriptionState.ACTIVE, circuit__state=CircuitState.OPEN)
    for one in open_.order_by("name")[:MOST]:
        yield Need(
            tone="warn",
            icon="bolt-slash",
            title=_("Deliveries to %s are held back") % one.name,
            text=_("Its circuit is open: deliveries wait without using up tries; none is lost."),
            href=reverse("delivery:subscription-detail", args=[one.number]),
            action=_("See why"),
            since=one.circuit.opened_at,
        )


def _access_requests(user: User, environment: str, now: datetime) -> Iterator[Need]:
    waiting = access.restrict(
        AccessRequest.objects.open(), user, Action.ACCESS_REQUEST_DECIDE
    ).with_names()
    for one in waiting.order_by("requested_at")[:MOST]:
        yield Need(
            tone="info",
            icon="hand-raised",
            title=_("%(who)s wants to %(verb)s: %(topic)s")
            % {
                "who": one.grantee,
                "verb": one.get_verb_display().lower(),
                "topic": one.topic.title,
            },
            text=one.reason,
            href=reverse("governance:access-request-detail", args=[one.number]),
            action=_("Decide"),
            facts=(str(one.requested_by), one.get_environment_display()),
            since=one.requested_at,
        )


def _sign_offs(user: User, environment: str, now: datetime) -> Iterator[Need]:
    seen = access.restrict(
        ChangeRequest.objects.filter(state__in=reviews.ASKED_IN), user, Action.CHANGE_VIEW
    )
    for change, one in reviews.waiting_for(user, seen.order_by("due_at", "number"))[:MOST]:
        yield Need(
            tone="bad" if one.is_late(now) else "warn",
            icon="hand-raised",
            title=_("%(change)s breaks %(application)s: can you live with it?")
            % {"change": change.title, "application": one.application},
            text=" ".join(one.because),
            href=f"{reverse('governance:change-request-detail', args=[change.number])}#sign-offs",
            action=_("Answer"),
            facts=(str(change), _due(one, now)),
            since=change.opened_at,
        )


def _due(one: reviews.SignOff, now: datetime) -> str:
    if one.due_at is None:
        return _("before it is decided")
    if one.is_late(now):
        return _("late")
    return _("answer by %s") % wording.day(one.due_at, now=now)


def _reviews(user: User, environment: str, now: datetime) -> Iterator[Need]:
    waiting = access.restrict(
        ChangeRequest.objects.filter(state=ChangeState.OPEN), user, Action.CHANGE_APPROVE
    )
    mine = waiting.exclude(reviews__reviewer=user, reviews__voided_at__isnull=True)
    for one in mine.select_related("topic", "proposed_by").order_by("opened_at")[:MOST]:
        yield Need(
            tone="warn" if one.verdict == "incompatible" else "info",
            icon="eye",
            title=_("%s waits for a review") % one.title,
            text=one.reason,
            href=reverse("governance:change-request-detail", args=[one.number]),
            action=_("Review"),
            facts=(str(one), str(one.proposed_by), one.topic.name),
            since=one.opened_at,
        )
    ready = access.restrict(
        ChangeRequest.objects.filter(state=ChangeState.APPROVED), user, Action.CHANGE_APPLY
    )
    for one in ready.order_by("decided_at")[:MOST]:
        yield Need(
            tone="good",
            icon="check",
            title=_("%s is approved and can be applied") % one.title,
            href=reverse("governance:change-request-detail", args=[one.number]),
            action=_("Apply"),
            facts=(str(one),),
            since=one.decided_at,
        )


def _own_changes(user: User, environment: str, now: datetime) -> Iterator[Need]:
    back = ChangeRequest.objects.filter(
        proposed_by=user, state__in=[ChangeState.CHANGES_REQUESTED, ChangeState.DRAFT]
    )
    for one in back.order_by("number")[:MOST]:
        is_draft = one.state == ChangeState.DRAFT
        yield Need(
            tone="info" if is_draft else "warn",
            icon="pencil" if is_draft else "arrow-uturn-left",
            title=(_("%s is a draft") if is_draft else _("%s was sent back")) % one.title,
            href=reverse("governance:change-request-detail", args=[one.number]),
            action=_("Finish it") if is_draft else _("See what is asked"),
            facts=(str(one),),
            since=one.created_at,
        )


def _replays(user: User, environment: str, now: datetime) -> Iterator[Need]:
    waiting = access.restrict(
        Replay.objects.filter(state=ReplayState.AWAITING_APPROVAL), user, Action.REPLAY_MANY
    ).exclude(requested_by=user)
    for one in waiting.order_by("requested_at")[:MOST]:
        yield Need(
            tone="info",
            icon="hand-raised",
            title=ngettext(
                "A replay of %s event awaits approval",
                "A replay of %s events awaits approval",
                one.matched,
            )
            % one.matched,
            text=one.reason,
            href=reverse("delivery:replay-detail", args=[one.number]),
            action=_("Decide"),
            since=one.requested_at,
        )


def _ending_grants(user: User, environment: str, now: datetime) -> Iterator[Need]:
    ending = access.restrict(Grant.objects.in_force(now), user, Action.GRANT_REVOKE)
    found = ending.filter(environment=environment, until__lte=now + ENDS_SOON).with_names()
    for one in found.order_by("until")[:MOST]:
        days = (one.until - now).days if one.until else 0
        yield Need(
            tone="warn",
            icon="clock",
            title=ngettext(
                "The grant of %(who)s on %(topic)s ends in %(days)s day",
                "The grant of %(who)s on %(topic)s ends in %(days)s days",
                days,
            )
            % {"who": one.grantee, "topic": one.topic.name, "days": days},
            text=_("When it ends, what waits under it stops and says so."),
            href=f"{reverse('governance:access')}?grant={one.number}",
            action=_("See the grant"),
        )


def _unconnected(user: User, environment: str, now: datetime) -> Iterator[Need]:
    mine = (
        Application.objects.active()
        .filter(team__group__in=user.groups.all())
        .annotate(
            grant_count=Count("grants", distinct=True),
            subscription_count=Count("subscriptions", distinct=True),
            request_count=Count("accessrequests", distinct=True),
            event_keys=Count("keys", distinct=True),
        )
        .filter(subscription_count=0, event_keys=0)
        .order_by("-created_at")
    )
    for one in mine[:MOST]:
        here = reverse("catalog:application-detail", args=[one.slug])
        if one.grant_count:  # type: ignore[attr-defined]  # annotated above
            connect = reverse("delivery:subscription-new")
            yield Need(
                tone="info",
                icon="link",
                title=_("%s may receive events: connect it") % one.name,
                href=f"{connect}?application={one.slug}",
                action=_("Connect"),
            )
        elif not one.request_count:  # type: ignore[attr-defined]  # annotated above
            ask = reverse("governance:access-request-new")
            yield Need(
                tone="info",
                icon="hand-raised",
                title=_("%s has no permission yet") % one.name,
                text=_("Ask for the topic that it should publish to or receive."),
                href=f"{ask}?application={one.slug}",
                action=_("Ask for permission"),
            )
        else:
            yield Need(
                tone="info",
                icon="clock",
                title=_("%s waits for its permission") % one.name,
                text=_("You are told as soon as it is decided."),
                href=here,
                action=_("See it"),
            )


def failing(user: User, *, environment: str) -> list[Subscription]:
    """Return subscriptions that the person may see and that do not deliver, worst first."""
    seen = access.restrict(Subscription.objects.standing(), user, Action.SUBSCRIPTION_VIEW)
    erring = (
        ~Q(circuit__state=CircuitState.CLOSED)
        | Q(circuit__last_success_at__isnull=True)
        | Q(circuit__last_failure_at__gt=F("circuit__last_success_at"))
    )
    found = seen.filter(
        erring, environment=environment, circuit__last_failure_at__isnull=False
    ).with_names()
    return list(found.order_by("-circuit__last_failure_at")[:20])


def resolved(user: User, *, environment: str) -> list[FailureGroup]:
    """Return failures lately resolved that the person may see."""
    seen = access.restrict(
        FailureGroup.objects.filter(state=FailureGroupState.RESOLVED), user, Action.FAILURE_VIEW
    )
    found = seen.filter(environment=environment).with_names()
    return list(found.order_by("-resolved_at")[:5])


def last_day(*, environment: str, now: datetime) -> Day:
    """Return the figures of the last 24 hours, from the hourly roll-ups."""
    sums = Rollup.objects.filter(
        environment=environment, grain=Grain.HOUR, at__gt=now - timedelta(hours=24)
    ).aggregate(
        published=Sum("published", default=0),
        delivered=Sum("delivered", default=0),
        first_try=Sum("first_try", default=0),
        dead=Sum("dead", default=0),
    )
    return Day(**sums)
