"""Grants: giving, extending, revoking and expiring, each with its object permission."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from catalog.models import Application, Team, Topic, User
from catalog.words import Environment
from governance import access, signals
from governance.actions import Action
from governance.governed import governed, record
from governance.models import Grant
from governance.querysets import GrantQuerySet
from governance.states import GrantState, Verb

Grantee = Application | Team
# An end later than this is a slip of the pen, and none that every time zone can show.
LONGEST = timedelta(days=50 * 365)
REMIND_DAYS = (14, 3, 1)  # before its end (the pages mark a grant from 14 days on)


def give(
    grantee: Grantee,
    *,
    verb: str,
    topic: Topic,
    environment: str,
    until: datetime | None,
    by: User,
    reason: str,
    now: datetime,
) -> Grant:
    """Let an application or a team publish or subscribe to the topic, at once.

    Raises ValidationError for an end that has passed, a missing reason, an unknown verb or
    environment, an inactive application, and when such a grant is in force already.
    """
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.GRANT_GIVE, topic, now=now)
        return give_unasked(
            grantee,
            verb=verb,
            topic=topic,
            environment=environment,
            until=until,
            by=by,
            reason=reason,
            now=now,
        )


def give_unasked(
    grantee: Grantee,
    *,
    verb: str,
    topic: Topic,
    environment: str,
    until: datetime | None,
    by: User | None,
    reason: str,
    now: datetime,
) -> Grant:
    """Give a grant inside a verb that has asked for the permission itself (an approval).

    `by` is None for what Signalbox gives itself.
    """
    for old in _standing(grantee, verb, topic, environment).ran_out(now):
        _expire(old, now=now)
    check_wanted(
        grantee,
        verb=verb,
        topic=topic,
        environment=environment,
        until=until,
        reason=reason,
        now=now,
    )
    grant = Grant(
        application=grantee if isinstance(grantee, Application) else None,
        team=grantee if isinstance(grantee, Team) else None,
        topic=topic,
        verb=verb,
        environment=environment,
        reason=reason,
        until=until,
        granted_by=by,
        granted_at=now,
    )
    try:
        with transaction.atomic():
            grant.save()
    except IntegrityError:
        _refuse_second(grantee, verb, topic, environment)  # a rival was faster
        raise
    grant.refresh_from_db(fields=["number"])
    access.put_in_force(grant)
    signals.grant_given.send(sender=Grant, thing=grant, by=by, now=now)
    record(Action.GRANT_GIVE, grant, after=_facts(grant), related=_related(grant))
    return grant


def extend(grant: Grant, *, until: datetime | None, by: User, reason: str, now: datetime) -> Grant:
    """Move the end of a grant in force; None lets it hold until it is revoked."""
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.GRANT_GIVE, grant.topic, now=now)
        grant = Grant.objects.select_for_update(of=("self",)).with_names().get(pk=grant.pk)
        if not Grant.objects.in_force(now).filter(pk=grant.pk).exists():
            raise ValidationError(
                {"until": _("%(grant)s is no longer in force: give a new one.") % {"grant": grant}}
            )
        _check_until(until, now=now)
        before, grant.until = grant.until, until
        grant.save()
        signals.grant_extended.send(sender=Grant, thing=grant, by=by, now=now)
        record(
            Action.GRANT_GIVE,
            grant,
            before={"until": before},
            after={"until": until},
            related=_related(grant),
        )
    return grant


def revoke(grant: Grant, *, by: User, reason: str, now: datetime) -> Grant:
    """Take a grant back, at once. Raises IllegalMove when it is not in force any more."""
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.GRANT_REVOKE, grant, now=now)
        if not reason.strip():
            raise ValidationError({"reason": _("Say why: the team will read it.")})
        ended = _end(grant, GrantState.REVOKED, by=by, reason=reason, now=now)
        signals.grant_revoked.send(sender=Grant, thing=ended, by=by, now=now)
        record(
            Action.GRANT_REVOKE,
            ended,
            before={"state": GrantState.IN_FORCE.value},
            after={"state": GrantState.REVOKED.value},
            related=_related(ended),
        )
    return ended


def expire(*, now: datetime) -> int:
    """Close the grants whose end has passed, each in a transaction of its own; return how many."""
    count = 0
    for grant in Grant.objects.ran_out(now).with_names().order_by("pk"):
        with governed(by=None, now=now, reason=_("Its end date has passed.")):
            if Grant.objects.ran_out(now).select_for_update(of=("self",)).filter(pk=grant.pk):
                _expire(grant, now=now)
                count += 1
    return count


def remind(*, now: datetime) -> int:
    """Tell of the grants that end within `REMIND_DAYS`; return how many there are.

    Safe to repeat: each is told with the least of these days that it still has, and whoever hears
    of it says it once for each.
    """
    ending = Grant.objects.in_force(now).filter(until__lte=now + timedelta(days=max(REMIND_DAYS)))
    count = 0
    for grant in ending.with_names().order_by("pk"):
        left = (grant.until or now) - now
        days = min(one for one in REMIND_DAYS if left <= timedelta(days=one))
        with transaction.atomic():
            signals.grant_ending.send(sender=Grant, thing=grant, by=None, now=now, days=days)
        count += 1
    return count


def _expire(grant: Grant, *, now: datetime) -> None:
    ended = _end(grant, GrantState.EXPIRED, by=None, reason="", now=now)
    signals.grant_expired.send(sender=Grant, thing=ended, by=None, now=now)
    record(
        Action.GRANT_EXPIRE,
        ended,
        before={"state": GrantState.IN_FORCE.value},
        after={"state": GrantState.EXPIRED.value},
        related=_related(ended),
    )


def _end(grant: Grant, target: GrantState, *, by: User | None, reason: str, now: datetime) -> Grant:
    Grant.objects.move(
        grant.pk,
        GrantState.IN_FORCE,
        target,
        ended_by=by,
        ended_at=now,
        end_reason=reason,
    )
    ended = Grant.objects.with_names().get(pk=grant.pk)
    access.take_out_of_force(ended, now=now)
    return ended


def check_wanted(
    grantee: Grantee,
    *,
    verb: str,
    topic: Topic,
    environment: str,
    until: datetime | None,
    reason: str,
    now: datetime,
) -> None:
    """Raise ValidationError for what a grant cannot say, or says already."""
    if verb not in Verb.values:
        raise ValidationError({"verb": _("Choose publish or subscribe.")})
    if environment not in Environment.values:
        raise ValidationError({"environment": _("Choose staging or production.")})
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: reviewers and auditors will read it.")})
    if isinstance(grantee, Application) and not grantee.is_active:
        raise ValidationError({"application": _("%s is not active.") % grantee})
    _check_until(until, now=now)
    _refuse_second(grantee, verb, topic, environment)


def _check_until(until: datetime | None, *, now: datetime) -> None:
    if until is not None and until <= now:
        raise ValidationError({"until": _("This end has passed: choose a later one.")})
    if until is not None and until > now + LONGEST:
        raise ValidationError(
            {"until": _("Choose an end within 50 years, or none: then it holds until revoked.")}
        )


def _standing(grantee: Grantee, verb: str, topic: Topic, environment: str) -> GrantQuerySet:
    return Grant.objects.with_names().filter(
        application=grantee if isinstance(grantee, Application) else None,
        team=grantee if isinstance(grantee, Team) else None,
        topic=topic,
        verb=verb,
        environment=environment,
        state=GrantState.IN_FORCE,
    )


def _refuse_second(grantee: Grantee, verb: str, topic: Topic, environment: str) -> None:
    standing = _standing(grantee, verb, topic, environment).first()
    if standing is not None:
        raise ValidationError(
            _("%(grantee)s has this already by %(grant)s: extend that one instead."),
            code="already_granted",
            params={"grantee": grantee, "grant": standing},
        )


def _facts(grant: Grant) -> dict[str, object]:
    return {
        "grantee": str(grant.grantee),
        "verb": grant.verb,
        "topic": grant.topic.name,
        "environment": grant.environment,
        "until": grant.until,
    }


def _related(grant: Grant) -> tuple[models.Model, ...]:
    team = grant.application.team if grant.application else grant.team
    return tuple(thing for thing in (grant.topic, grant.application, team) if thing is not None)
