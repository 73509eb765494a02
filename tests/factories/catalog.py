"""Things of the catalog, and people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import (
    Application,
    Domain,
    EventType,
    Region,
    Release,
    SchemaVersion,
    Team,
    Topic,
    User,
)
from catalog.words import ApplicationKind, Environment, ReleaseState, UserKind
from governance import roles
from governance.governed import governed
from tests.factories.numbering import number

PASSWORD = "correct horse battery"
SCHEMA: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Order created",
    "type": "object",
    "properties": {
        "order_id": {"type": "string", "title": "Order number", "maxLength": 40},
        "amount": {"type": "number", "title": "Amount", "minimum": 0},
        "email": {
            "type": "string",
            "title": "E-mail",
            "maxLength": 200,
            "x-sensitive": "contact",
        },
    },
    "required": ["order_id", "amount"],
}
SAMPLE = {"order_id": "A-1001", "amount": 59.9, "email": "ada@example.com"}


def make_region(code: str = "eu", *, name: str = "Europe") -> Region:
    with governed(by=None, now=timezone.now()):
        return Region.objects.get_or_create(code=code, defaults={"name": name})[0]


def make_team(slug: str = "", *, name: str = "") -> Team:
    """Return the team of that slug, made if need be."""
    slug = slug or f"team-{number()}"
    found = Team.objects.filter(slug=slug).first()
    if found:
        return found
    with governed(by=None, now=timezone.now()):
        group = Group.objects.create(name=f"team:{slug}")
        return Team.objects.create(slug=slug, name=name or slug.capitalize(), group=group)


def make_person(
    username: str = "",
    *,
    role: str | None = roles.CITIZEN,
    team: Team | None = None,
    is_active: bool = True,
    is_superuser: bool = False,
) -> User:
    """Return a person who can sign in with `PASSWORD`."""
    username = username or f"person-{number()}"
    with governed(by=None, now=timezone.now()):
        person = User(
            username=username,
            name=username.capitalize(),
            email=f"{username}@example.com",
            is_active=is_active,
            is_superuser=is_superuser,
            is_staff=is_superuser,
        )
        person.set_password(PASSWORD)
        person.save()
        if role:
            person.groups.add(Group.objects.get(name=role))
        if team:
            person.groups.add(team.group)
    return person


def make_admin() -> User:
    """Return someone with the Admin role: who gives what a test needs."""
    return make_person(f"admin-{number()}", role=roles.ADMIN)


def make_domain(slug: str = "", *, owner: Team | None = None, name: str = "") -> Domain:
    slug = slug or f"domain-{number()}"
    with governed(by=None, now=timezone.now()):
        return Domain.objects.create(
            slug=slug, name=name or slug.capitalize(), owner=owner or make_team()
        )


def make_topic(
    name: str = "",
    *,
    owner: Team | None = None,
    domain: Domain | None = None,
    is_restricted: bool = False,
    **fields: object,
) -> Topic:
    name = name or f"topic-{number()}"
    owner = owner or (domain.owner if domain else make_team())
    with governed(by=None, now=timezone.now()):
        topic = Topic(
            name=name,
            title=str(fields.pop("title", name)),
            domain=domain or make_domain(owner=owner),
            owner=owner,
            is_restricted=is_restricted,
            **fields,
        )
        topic.save()
    return topic


def make_event_type(name: str = "", *, topic: Topic | None = None, **fields: object) -> EventType:
    name = name or f"com.acme.test.thing{number()}.happened"
    with governed(by=None, now=timezone.now()):
        event_type = EventType(
            name=name,
            title=str(fields.pop("title", name.rsplit(".", 2)[-2])),
            topic=topic or make_topic(),
            **fields,
        )
        event_type.save()
    return event_type


def make_version(
    version: str = "1.0.0",
    *,
    event_type: EventType | None = None,
    document: dict[str, object] | bool | str = SCHEMA,
    example: object = SAMPLE,
    live_in: Sequence[str] = (Environment.PRODUCTION, Environment.STAGING),
    deprecated_in: Sequence[str] = (),
    sunset_at: datetime | None = None,
) -> SchemaVersion:
    """Return a version that is live in the environments of `live_in`, deprecated in others."""
    now = timezone.now()
    text = document if isinstance(document, str) else json.dumps(document)
    with governed(by=None, now=now):
        made = SchemaVersion.objects.create(
            event_type=event_type or make_event_type(),
            version=version,
            document=text,
            document_sha256=hashlib.sha256(text.encode()).hexdigest(),
            example=json.dumps(example),
        )
        states = [(one, ReleaseState.LIVE) for one in live_in]
        states += [(one, ReleaseState.DEPRECATED) for one in deprecated_in]
        for environment, state in states:
            Release.objects.create(
                version=made,
                environment=environment,
                state=state,
                since=now,
                sunset_at=sunset_at if state == ReleaseState.DEPRECATED else None,
            )
    return made


def make_application(
    slug: str = "",
    *,
    team: Team | None = None,
    region: Region | None = None,
    kind: str = ApplicationKind.N8N,
    is_active: bool = True,
) -> Application:
    slug = slug or f"app-{number()}"
    team = team or make_team()
    with governed(by=None, now=timezone.now()):
        account = User(
            username=f"app-{slug}", name=slug, kind=UserKind.SERVICE, is_active=is_active
        )
        account.set_unusable_password()
        account.save()
        account.groups.add(team.group)
        return Application.objects.create(
            slug=slug,
            name=slug.replace("-", " ").capitalize(),
            kind=kind,
            team=team,
            region=region or make_region(),
            service_account=account,
            is_active=is_active,
        )


def make_uuid() -> UUID:
    """Return an identifier that nothing has yet."""
    return uuid7()


def give_permission(person: User, permission: str) -> None:
    """Give a model permission (`app.codename`) to a person directly."""
    person.user_permissions.add(find_permission(permission))


def find_permission(permission: str) -> Permission:
    """Return the model permission `app.codename`."""
    app, codename = permission.split(".", 1)
    return Permission.objects.get(content_type__app_label=app, codename=codename)
