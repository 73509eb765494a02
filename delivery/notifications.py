"""News for people: one sentence and the page where they can act, once for each key.

`notify` is the one way to tell people anything: it asks what each of them has chosen, shows the
news in the portal, and leaves the e-mail to `delivery.mailing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.functional import Promise

from catalog.models import Team, User
from catalog.words import UserKind
from delivery.models import NewsChoice, Notification
from delivery.news_kinds import MailTime, NewsKind, usual_mail_time

MAX_TEXT_CHARACTERS = 400
DAILY_AT = time(8)  # in each person's own zone


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """How a person hears of one kind."""

    is_shown: bool
    mail: MailTime


def notify(
    people: Iterable[User],
    *,
    kind: NewsKind,
    key: str,
    text: str | Promise,
    words: Mapping[str, object] | None = None,
    path: str = "",
    now: datetime,
) -> int:
    """Tell each of these people once, in their own language; return how many there are.

    `words` are put into the text where it says %(name)s.

    Who was told under the same `key` before is not told again: put the hour or the day into it to
    tell once in that time.
    """
    told = list(people)
    chosen = {
        one.user_id: Choice(is_shown=one.is_shown, mail=MailTime(one.mail))
        for one in NewsChoice.objects.filter(user__in=told, kind=kind)
    }
    usual = Choice(is_shown=True, mail=usual_mail_time(kind))
    rows = []
    for person in told:
        choice = chosen.get(person.pk, usual)
        due_at = _mail_due_at(person, choice.mail, now) if person.email else None
        if not choice.is_shown and due_at is None:
            continue
        with translation.override(person.language):
            said = (str(text) % (words or {}))[:MAX_TEXT_CHARACTERS]
        rows.append(
            Notification(
                user=person,
                kind=kind,
                key=f"{kind}:{key}"[:160],
                text=said,
                path=path,
                created_at=now,
                is_shown=choice.is_shown,
                mail_due_at=due_at,
            )
        )
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return len(told)


def _mail_due_at(person: User, when: MailTime, now: datetime) -> datetime | None:
    if when is MailTime.NEVER:
        return None
    return now if when is MailTime.AT_ONCE else next_morning(person, now)


def next_morning(person: User, now: datetime) -> datetime:
    """Return when the person's next daily e-mail goes out."""
    local = now.astimezone(ZoneInfo(person.time_zone))
    morning = datetime.combine(local.date(), DAILY_AT, tzinfo=local.tzinfo)
    return morning if morning > local else morning + timedelta(days=1)


def members(*teams: Team) -> QuerySet[User]:
    """Return the active people of these teams."""
    groups = [team.group_id for team in teams]
    return User.objects.filter(groups__in=groups, is_active=True, kind=UserKind.PERSON).distinct()


def of(user: User) -> QuerySet[Notification]:
    """Return a person's news in the portal, the newest first."""
    return Notification.objects.filter(user=user, is_shown=True).order_by("-created_at", "-pk")


def unread(user: User) -> int:
    """Count what a person has not read."""
    return of(user).filter(read_at__isnull=True).count()


def mark_read(user: User, *, now: datetime, pk: UUID | None = None) -> int:
    """Mark one of a person's news as read, or all; return how many were not.

    What was read here need not come by e-mail any more.
    """
    news = of(user).filter(Q(pk=pk) if pk else Q(), read_at__isnull=True)
    return news.update(read_at=now, mail_due_at=None)


def choices(user: User) -> dict[NewsKind, Choice]:
    """Return how a person hears of each kind."""
    chosen = {one.kind: one for one in NewsChoice.objects.filter(user=user)}
    return {
        kind: Choice(is_shown=chosen[kind].is_shown, mail=MailTime(chosen[kind].mail))
        if kind in chosen
        else Choice(is_shown=True, mail=usual_mail_time(kind))
        for kind in NewsKind
    }


def choose(user: User, wanted: Mapping[NewsKind, Choice]) -> None:
    """Keep how a person wants to hear of these kinds; it holds for news from now on."""
    NewsChoice.objects.bulk_create(
        [
            NewsChoice(user=user, kind=kind, is_shown=one.is_shown, mail=one.mail)
            for kind, one in wanted.items()
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["is_shown", "mail"],
    )
