"""What people are told of changed contracts: who is asked, who keeps others waiting, what ends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy

from catalog.models import Application, Release, Team, User
from delivery import notifications
from delivery.models import Subscription
from delivery.news_kinds import NewsKind
from governance import access, cadence, contract_usage, deprecations, reviews
from governance.actions import Action
from governance.models import ChangeRequest, Review
from governance.states import Decision


def ask_subscribers(changes: Sequence[ChangeRequest], *, now: datetime) -> None:
    """Ask the teams whose subscriptions break, once for each proposal; again once it is late."""
    asked = reviews.sign_offs_of(changes)
    waiting = [(change, one) for change in changes for one in asked[change.pk] if one.is_waiting]
    teams = _teams_of({one.application_id for _change, one in waiting})
    for change, one in waiting:
        is_late = one.is_late(now)
        text = (
            gettext_lazy("%(application)s has not answered to %(change)s, which breaks it.")
            if is_late
            else gettext_lazy("%(change)s breaks %(application)s: %(title)s. Can you live with it?")
        )
        stage = "late" if is_late else "asked"
        notifications.notify(
            notifications.members(teams[one.application_id]),
            kind=NewsKind.SIGN_OFF,
            key=f"{change.pk}:{one.application_id}:{change.proposal_sha256[:16]}:{stage}",
            text=text,
            words={
                "change": str(change),
                "title": change.title,
                "application": one.application,
            },
            path=_path(change),
            now=now,
        )


def _teams_of(applications: Collection[UUID]) -> Mapping[UUID, Team]:
    rows = Application.objects.filter(pk__in=applications).select_related("team")
    return {row.pk: row.team for row in rows}


def tell_signed_off(review: Review, *, now: datetime) -> None:
    """Tell who proposed the change what a subscriber says of it."""
    change = review.change_request
    text = (
        gettext_lazy("%(application)s objects to %(change)s: %(note)s")
        if review.decision == Decision.OBJECT
        else gettext_lazy("%(application)s can live with %(change)s. %(note)s")
    )
    notifications.notify(
        [change.proposed_by],
        kind=NewsKind.SIGN_OFF,
        key=str(review.pk),
        text=text,
        words={
            "application": str(review.application),
            "change": str(change),
            "note": review.note,
        },
        path=_path(change),
        now=now,
    )


def remind(*, now: datetime) -> None:
    """Remind reviewers of what is late, once a day, and subscribers that have not answered."""
    open_ones = ChangeRequest.objects.filter(state__in=reviews.ASKED_IN)
    ask_subscribers(list(open_ones), now=now)
    for change in cadence.late(ChangeRequest.objects.all(), now).select_related("topic__owner"):
        notifications.notify(
            _who_has_not_decided(change),
            kind=NewsKind.REVIEW,
            key=f"{change.pk}:late:{now:%Y%m%d}",
            text=gettext_lazy("%(change)s should have been decided by now: %(title)s"),
            words={"change": str(change), "title": change.title},
            path=_path(change),
            now=now,
        )


def _who_has_not_decided(change: ChangeRequest) -> QuerySet[User]:
    decided = change.reviews.filter(voided_at__isnull=True, application__isnull=True)
    people = access.people_who_can(Action.CHANGE_APPROVE, change)
    return people.exclude(pk__in=decided.values("reviewer"))


def tell_deprecated(release: Release, *, now: datetime, days: int | None = None) -> None:
    """Tell everybody who uses the version, or has pinned it, that it ends.

    `days` makes it a reminder, told once for each number of days that are left.
    """
    version = release.version
    uses = contract_usage.of(version, environments=[release.environment], now=now)
    pinned = (
        Subscription.objects.standing()
        .wanting(version.event_type)
        .filter(environment=release.environment, version_pin=version.major)
    )
    teams = Team.objects.filter(
        pk__in={
            *(use.team_id for use in contract_usage.in_use(uses, now)),
            *pinned.values_list("application__team_id", flat=True),
        }
    )
    ends = release.sunset_at or release.since
    # The notice of both environments is one; another end is news again.
    key = f"{version.pk}:{ends:%Y%m%d}"
    notifications.notify(
        notifications.members(*teams),
        kind=NewsKind.SUNSET,
        key=key if days is None else f"{key}:{days}",
        text=_notice(release, deprecations.note_of(release)),
        path=reverse("catalog:event-type-versions", args=[version.event_type.name]),
        now=now,
    )


def _words_of_notice(release: Release, note: str) -> str:
    # `notify` puts words into the text, so a per cent sign in it stands twice.
    return deprecations.notice(release, note=note).replace("%", "%%")


_notice = lazy(_words_of_notice, str)  # each person reads it in their own language


def _path(change: ChangeRequest) -> str:
    return reverse("governance:change-request-detail", args=[change.number])
