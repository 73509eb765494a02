"""Requests for access: asking, and the decision that turns one into a grant."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from catalog.models import Application, Team, Topic, User
from governance import access, grants, signals
from governance.actions import Action
from governance.governed import governed, record
from governance.models import AccessRequest, Grant
from governance.querysets import AccessRequestQuerySet
from governance.states import RequestState


def make(
    grantee: Application | Team,
    *,
    verb: str,
    topic: Topic,
    environment: str,
    by: User,
    reason: str,
    wanted_until: datetime | None,
    now: datetime,
) -> AccessRequest:
    """Ask for a grant for an application or team of one's own.

    Raises ValidationError for what a grant could not say either, when such a grant is in force, and
    when the same request is open already.
    """
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.TOPIC_VIEW, topic, now=now)
        access.require(by, Action.ACCESS_REQUEST_MAKE, grantee, now=now)
        grants.check_wanted(
            grantee,
            verb=verb,
            topic=topic,
            environment=environment,
            until=wanted_until,
            reason=reason,
            now=now,
        )
        request = AccessRequest(
            application=grantee if isinstance(grantee, Application) else None,
            team=grantee if isinstance(grantee, Team) else None,
            topic=topic,
            verb=verb,
            environment=environment,
            reason=reason,
            wanted_until=wanted_until,
            requested_by=by,
            requested_at=now,
        )
        _save_only_one(request)
        signals.access_requested.send(sender=AccessRequest, thing=request, by=by, now=now)
        _record_asked(request, grantee)
    return request


def _save_only_one(request: AccessRequest) -> None:
    """Save a request, with its number, unless the same is open; of two at once one is refused."""
    _refuse_second(request)
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError:
        _refuse_second(request)
        raise
    request.refresh_from_db(fields=["number"])


def _record_asked(request: AccessRequest, grantee: Application | Team) -> None:
    record(
        Action.ACCESS_REQUEST_MAKE,
        request,
        after={
            "grantee": str(grantee),
            "verb": request.verb,
            "topic": request.topic.name,
            "environment": request.environment,
            "wanted_until": request.wanted_until,
        },
        related=_related(request),
    )


def approve(
    request: AccessRequest, *, by: User, until: datetime | None, note: str = "", now: datetime
) -> Grant:
    """Give what was asked for, until `until`. Raises IllegalMove when it is decided already."""
    with governed(by=by, now=now, reason=note):
        access.require(by, Action.ACCESS_REQUEST_DECIDE, request, now=now)
        request = _move(
            request,
            RequestState.APPROVED,
            decided_by=by,
            decided_at=now,
            decision_note=note,
        )
        request.grant = grants.give_unasked(
            request.application or request.team,  # type: ignore[arg-type]  # one by constraint
            verb=request.verb,
            topic=request.topic,
            environment=request.environment,
            until=until,
            by=by,
            reason=request.reason,
            now=now,
        )
        request.save()
        signals.access_decided.send(sender=AccessRequest, thing=request, by=by, now=now)
        _record_move(Action.ACCESS_REQUEST_DECIDE, request, grant=str(request.grant), until=until)
    return request.grant


def reject(request: AccessRequest, *, by: User, note: str, now: datetime) -> AccessRequest:
    """Refuse a request and say why. Raises IllegalMove when it is decided already."""
    with governed(by=by, now=now, reason=note):
        access.require(by, Action.ACCESS_REQUEST_DECIDE, request, now=now)
        if not note.strip():
            raise ValidationError({"note": _("Say why: whoever asked will read it.")})
        request = _move(
            request, RequestState.REJECTED, decided_by=by, decided_at=now, decision_note=note
        )
        signals.access_decided.send(sender=AccessRequest, thing=request, by=by, now=now)
        _record_move(Action.ACCESS_REQUEST_DECIDE, request)
    return request


def withdraw(request: AccessRequest, *, by: User, now: datetime) -> AccessRequest:
    """Take a request back. Raises IllegalMove when it is decided already."""
    with governed(by=by, now=now):
        access.require(by, Action.ACCESS_REQUEST_WITHDRAW, request, now=now)
        request = _move(request, RequestState.WITHDRAWN)
        signals.access_withdrawn.send(sender=AccessRequest, thing=request, by=by, now=now)
        _record_move(Action.ACCESS_REQUEST_WITHDRAW, request)
    return request


def _move(request: AccessRequest, target: RequestState, **facts: object) -> AccessRequest:
    AccessRequest.objects.move(request.pk, RequestState.OPEN, target, **facts)
    return (
        AccessRequest.objects.with_names()
        .select_related("application__team", "topic__owner")
        .get(pk=request.pk)
    )


def _record_move(action: Action, request: AccessRequest, **facts: object) -> None:
    record(
        action,
        request,
        before={"state": RequestState.OPEN.value},
        after={"state": str(request.state), **facts},
        related=_related(request),
    )


def _refuse_second(request: AccessRequest) -> None:
    standing = _rivals(request).first()
    if standing is not None:
        raise ValidationError(
            _("%(request)s asks for this already and waits for a decision."),
            code="already_requested",
            params={"request": standing},
        )


def _rivals(request: AccessRequest) -> AccessRequestQuerySet:
    return AccessRequest.objects.open().filter(
        application=request.application,
        team=request.team,
        topic=request.topic,
        verb=request.verb,
        environment=request.environment,
    )


def _related(request: AccessRequest) -> tuple[models.Model, ...]:
    team = request.application.team if request.application else request.team
    things = (request.topic, request.application, team)
    return tuple(thing for thing in things if thing is not None)
