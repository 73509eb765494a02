"""News for people: one sentence and the page where they can act, once for each key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.functional import Promise

from catalog.models import Team, User
from catalog.words import UserKind
from delivery.models import Notification

MAX_TEXT_CHARACTERS = 400


def notify(
    people: Iterable[User],
    *,
    kind: str,
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
    rows = []
    for person in people:
        with translation.override(person.language):
            rows.append(
                Notification(
                    user=person,
                    kind=kind,
                    key=f"{kind}:{key}"[:160],
                    text=(str(text) % (words or {}))[:MAX_TEXT_CHARACTERS],
                    path=path,
                    created_at=now,
                )
            )
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def members(*teams: Team) -> QuerySet[User]:
    """Return the active people of these teams."""
    groups = [team.group_id for team in teams]
    return User.objects.filter(groups__in=groups, is_active=True, kind=UserKind.PERSON).distinct()


def of(user: User) -> QuerySet[Notification]:
    """Return a person's news, the newest first."""
    return Notification.objects.filter(user=user).order_by("-created_at", "-pk")


def unread(user: User) -> int:
    """Count what a person has not read."""
    return of(user).filter(read_at__isnull=True).count()


def mark_read(user: User, *, now: datetime, pk: UUID | None = None) -> int:
    """Mark one of a person's news as read, or all; return how many were not."""
    news = of(user).filter(Q(pk=pk) if pk else Q(), read_at__isnull=True)
    return news.update(read_at=now)
