"""Grants, requests and keys."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.utils import timezone

from catalog.models import Application, Team, Topic, User
from catalog.words import Environment
from governance import grants, keys
from governance.governed import governed
from governance.models import AccessRequest, ApiKey, ChangeRequest, Grant
from governance.states import ChangeKind, ChangeState, Verb
from tests.factories.catalog import make_admin, make_application, make_person, make_topic


def make_grant(
    grantee: Application | Team | None = None,
    *,
    topic: Topic | None = None,
    verb: str = Verb.SUBSCRIBE,
    environment: str = Environment.PRODUCTION,
    until: datetime | None = None,
    by: User | None = None,
    now: datetime | None = None,
) -> Grant:
    return grants.give(
        grantee or make_application(),
        verb=verb,
        topic=topic or make_topic(),
        environment=environment,
        until=until,
        by=by or make_admin(),
        reason="A test needs it.",
        now=now or timezone.now(),
    )


def make_access_request(
    application: Application | None = None,
    *,
    topic: Topic | None = None,
    by: User | None = None,
    verb: str = Verb.SUBSCRIBE,
    environment: str = Environment.PRODUCTION,
) -> AccessRequest:
    application = application or make_application()
    now = timezone.now()
    with governed(by=None, now=now):
        request = AccessRequest(
            application=application,
            topic=topic or make_topic(),
            verb=verb,
            environment=environment,
            reason="Orders go to a sheet.",
            requested_by=by or make_person(team=application.team),
            requested_at=now,
        )
        request.save()
        request.refresh_from_db()
    return request


def make_change_request(
    *,
    topic: Topic | None = None,
    by: User | None = None,
    state: str = ChangeState.OPEN,
    kind: str = ChangeKind.SCHEMA_VERSION,
) -> ChangeRequest:
    topic = topic or make_topic()
    now = timezone.now()
    with governed(by=None, now=now):
        change = ChangeRequest(
            kind=kind,
            title="Add a field",
            reason="The shop asks for it.",
            topic=topic,
            proposal="{}",
            proposal_sha256=hashlib.sha256(b"{}").hexdigest(),
            state=state,
            proposed_by=by or make_person(team=topic.owner),
            created_at=now,
        )
        change.save()
        change.refresh_from_db()
    return change


def make_key(
    application: Application | None = None,
    *,
    environment: str = Environment.PRODUCTION,
    expires_at: datetime | None = None,
    by: User | None = None,
) -> tuple[ApiKey, str]:
    """Return a key and its plain text."""
    return keys.create(
        application or make_application(),
        environment=environment,
        label="test",
        expires_at=expires_at,
        by=by or make_admin(),
        now=timezone.now(),
    )
