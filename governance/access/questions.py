"""May they? For one thing, for many, or in general."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.models import User
from governance import refusals, roles
from governance.access.conditions import Viewer, condition
from governance.actions import Action
from governance.roles import Side

Q = TypeVar("Q", bound=QuerySet[Any])
Asker = User | AnonymousUser | None


class NotAllowed(PermissionDenied):
    """You may not do this: ask someone who may, or ask for the permission."""


def allows(
    user: Asker,
    action: Action | str,
    thing: models.Model | None = None,
    *,
    environment: str | None = None,
    now: datetime | None = None,
) -> bool:
    """Tell whether `user` may do `action` with `thing`.

    Without a thing: whether there is anything that they might do it with (for navigation). Inactive
    users and unknown actions: no. `environment` matters to publishing and subscribing only; None
    asks for either.
    """
    viewer = _viewer(user, now)
    if viewer is None:
        return False
    if thing is None:
        return _in_general(viewer, action)
    row = type(thing)._default_manager.filter(pk=thing.pk)
    return row.filter(condition(type(thing), viewer, action, environment)).exists()


def can(
    user: Asker, thing: models.Model, actions: Iterable[Action], *, now: datetime | None = None
) -> frozenset[Action]:
    """Return which of `actions` the user may do with the thing, in one query."""
    viewer = _viewer(user, now)
    asked = list(actions)
    if viewer is None or not asked:
        return frozenset()
    model = type(thing)
    answers = {
        f"may_{number}": ExpressionWrapper(
            condition(model, viewer, action, None), output_field=BooleanField()
        )
        for number, action in enumerate(asked)
    }
    rows = model._default_manager.filter(pk=thing.pk).annotate(**answers)
    row = rows.values_list(*answers).first()
    return frozenset(action for action, may in zip(asked, row or (), strict=False) if may)


def require(
    user: Asker,
    action: Action | str,
    thing: models.Model | None = None,
    *,
    environment: str | None = None,
    now: datetime | None = None,
) -> None:
    """Raise `NotAllowed` (a PermissionDenied), and remember the refusal, unless allowed."""
    if allows(user, action, thing, environment=environment, now=now):
        return
    refusals.remember(user, action, thing)
    raise NotAllowed(_("You may not do this. Ask someone who may, or ask for the permission."))


def restrict(
    queryset: Q,
    user: Asker,
    action: Action | str,
    *,
    environment: str | None = None,
    now: datetime | None = None,
) -> Q:
    """Keep what `user` may do `action` with; the rest is as if it did not exist."""
    viewer = _viewer(user, now)
    if viewer is None:
        return queryset.none()
    return queryset.filter(condition(queryset.model, viewer, action, environment))


def _viewer(user: Asker, now: datetime | None) -> Viewer | None:
    if not isinstance(user, User) or not user.is_active:
        return None
    return Viewer(user=user, now=now or timezone.now())


def _in_general(viewer: Viewer, action: str) -> bool:
    rule = roles.RULES.get(Action(action)) if action in roles.RULES else None
    if rule is None or (viewer.is_service and action not in roles.SERVICE_ACTIONS):
        return False
    if viewer.holds(rule.may) or action == Action.LEDGER_VIEW:
        return True
    if rule.sides & {Side.ANYONE, Side.AUTHOR}:
        return True
    needed = [""] if rule.sides else list((rule.with_permission or {}).values())
    return any(not one or viewer.holds(one) for one in needed) and viewer.teams().exists()
