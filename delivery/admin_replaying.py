"""Replaying from the Django admin: the form, what would happen, and the order itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import Text
from catalog.models import User
from delivery import replay_checks, replays
from delivery.failure_forms import ReplayForm
from delivery.models import FailureGroup, Replay
from delivery.replay_selections import Selection, of_group

__all__ = [
    "ReplayForm",
    "preview_groups",
    "replay_groups",
    "replay_preview",
    "start_replays",
]

Chosen = Iterable[tuple[str, UUID]]  # environment and delivery


def start_replays(
    chosen: Chosen, *, by: User, now: datetime, reason: str, rate: int | None, one_first: bool
) -> list[Replay]:
    """Order one replay for each environment that the deliveries are in."""
    return [
        replays.start(
            selection,
            environment=environment,
            reason=reason,
            rate=rate,
            one_first=one_first,
            by=by,
            now=now,
        )
        for environment, selection in _selections(chosen).items()
    ]


def replay_preview(chosen: Chosen, *, by: User, now: datetime) -> list[tuple[Text, object]]:
    """Say what replaying the deliveries would do."""
    return [
        line
        for environment, selection in _selections(chosen).items()
        for line in _told(selection, environment, by, now)
    ]


def replay_groups(
    groups: Sequence[FailureGroup],
    *,
    by: User,
    now: datetime,
    reason: str,
    rate: int | None,
    one_first: bool,
) -> list[Replay]:
    """Order one replay for each failure group."""
    return [
        replays.start(
            of_group(group),
            environment=group.environment,
            reason=reason,
            rate=rate,
            one_first=one_first,
            by=by,
            now=now,
        )
        for group in groups
    ]


def preview_groups(
    groups: Sequence[FailureGroup], *, by: User, now: datetime
) -> list[tuple[Text, object]]:
    """Say what replaying everything of these causes would do."""
    return [line for group in groups for line in _told(of_group(group), group.environment, by, now)]


def _selections(chosen: Chosen) -> Mapping[str, Selection]:
    found: dict[str, list[UUID]] = defaultdict(list)
    for environment, pk in chosen:
        found[environment].append(pk)
    return {environment: Selection(deliveries=tuple(ids)) for environment, ids in found.items()}


def _told(
    selection: Selection, environment: str, by: User, now: datetime
) -> list[tuple[Text, object]]:
    found = replays.preview(selection, environment=environment, by=by, now=now)
    lines: list[tuple[Text, object]] = [
        (_("Matched"), found.matched),
        (_("Would be sent"), found.will_send),
    ]
    lines += [(_("To %s") % one.name, count) for one, count in found.to]
    lines += [
        (str(replay_checks.SENTENCES.get(reason, reason)), count)
        for reason, count in found.refused.items()
    ]
    lines += [(_("Does not answer now"), one.name) for one in found.waiting_for]
    if found.needs_approval:
        lines.append((_("A second person must approve it"), _("yes")))
    return lines
