"""Things to test with: `make_*` functions with sensible defaults, keyword-only.

Three people come from the fixture `three_people`: alice owns (team sales), bob is on her team,
charlie is a stranger.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
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
from governance import grants, keys, roles
from governance.governed import governed
from governance.models import AccessRequest, ApiKey, ChangeRequest, Grant
from governance.states import ChangeKind, ChangeState, Verb

if TYPE_CHECKING:
    from delivery.models import (
        Adapter,
        Delivery,
        Event,
        FailureGroup,
        Replay,
        RoutingRule,
        Runbook,
        Subscription,
    )

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)

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


def number() -> int:
    """Return a number that this run has not used yet."""
    return next(_numbers)


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


def make_subscription(
    application: Application | None = None,
    *,
    topic: Topic | None = None,
    url: str = "http://127.0.0.1:9/hook",
    environment: str = Environment.PRODUCTION,
    is_granted: bool = True,
    **fields: object,
) -> Subscription:
    """Return an active webhook subscription, with its grant unless told otherwise."""
    from delivery.models import Circuit, Endpoint, Subscription  # noqa: PLC0415 - no need to load

    now = timezone.now()
    application = application or make_application()
    topic = topic or make_topic()
    if is_granted:
        rival = Grant.objects.in_force(now).filter(
            application=application, topic=topic, verb=Verb.SUBSCRIBE, environment=environment
        )
        if not rival.exists():
            make_grant(application, topic=topic, environment=environment)
    with governed(by=None, now=now):
        endpoint = Endpoint.objects.create(
            application=application, url=url, region=application.region, changed_at=now
        )
        subscription = Subscription(
            name=str(fields.pop("name", f"Orders to {application}")),
            application=application,
            topic=topic,
            environment=environment,
            endpoint=endpoint,
            state_since=now,
            created_at=now,
            **fields,
        )
        subscription.save()
        subscription.refresh_from_db()
        Circuit.objects.get_or_create(subscription=subscription)
    return subscription


def make_rule(topic: Topic | None = None, *, action: str = "deny", **fields: object) -> RoutingRule:
    """Return a routing rule in force in production, as an applied request leaves it."""
    from delivery.models import RoutingRule  # noqa: PLC0415 - no need to load

    topic = topic or make_topic()
    change = make_change_request(
        topic=topic, kind=ChangeKind.ROUTING_RULE, state=ChangeState.APPLIED
    )
    now = timezone.now()
    values: dict[str, object] = {"name": "A rule", "environment": Environment.PRODUCTION}
    with governed(by=None, now=now):
        rule = RoutingRule(
            topic=topic,
            action=action,
            change_request=change,
            changed_at=now,
            **{"position": 10, **values, **fields},
        )
        rule.save()
        rule.refresh_from_db()
    return rule


def make_event(
    *,
    event_type: EventType | None = None,
    application: Application | None = None,
    environment: str = Environment.PRODUCTION,
    data: object = SAMPLE,
) -> Event:
    """Return a recorded event with its payload; nothing was routed."""
    from delivery.models import Event, Payload  # noqa: PLC0415 - no need to load

    event_type = event_type or make_event_type()
    version = event_type.versions.newest_first().first() or make_version(event_type=event_type)
    text = json.dumps(data)
    event = Event.objects.create(
        environment=environment,
        source="/tests",
        event_id=str(uuid7()),
        type=event_type,
        version=version,
        application=application or make_application(),
        received_at=timezone.now(),
        correlation_id=str(uuid7()),
        trace_parent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        size_bytes=len(text),
    )
    Payload.objects.create(event_id=event.pk, topic_id=event_type.topic_id, data=text)
    return event


def make_delivery(
    event: Event | None = None, *, subscription: Subscription | None = None, **fields: object
) -> Delivery:
    """Return a delivery that nobody works on: it is in no queue."""
    from delivery.models import Delivery  # noqa: PLC0415 - no need to load

    event = event or make_event()
    subscription = subscription or make_subscription(
        topic=event.type.topic, environment=event.environment
    )
    delivery = Delivery(
        event=event, subscription=subscription, environment=event.environment, **fields
    )
    delivery.save()
    return delivery


def make_failure_group(
    subscription: Subscription | None = None, *, error_class: str = "http_status"
) -> FailureGroup:
    """Return an open group of one failure."""
    from delivery.models import FailureGroup  # noqa: PLC0415 - no need to load

    subscription = subscription or make_subscription()
    now = timezone.now()
    with governed(by=None, now=now):
        group = FailureGroup(
            subscription=subscription,
            environment=subscription.environment,
            error_class=error_class,
            status_code=500,
            message="Internal Server Error",
            fingerprint=hashlib.sha256(uuid7().bytes).hexdigest(),
            count=1,
            open_count=1,
            first_seen_at=now,
            last_seen_at=now,
        )
        group.save()
        group.refresh_from_db()
    return group


def make_replay(subscription: Subscription | None = None, *, by: User | None = None) -> Replay:
    """Return a queued replay without items."""
    from delivery.models import Replay  # noqa: PLC0415 - no need to load

    now = timezone.now()
    with governed(by=None, now=now):
        replay = Replay(
            environment=Environment.PRODUCTION,
            subscription=subscription,
            reason="The receiver was mended.",
            requested_by=by or make_person(role=roles.SUPPORT),
            requested_at=now,
        )
        replay.save()
        replay.refresh_from_db()
    return replay


def make_runbook(
    subscription: Subscription | None = None, *, topic: Topic | None = None, **fields: object
) -> Runbook:
    """Return a runbook with one step and a button; bound to a kind of failure unless told."""
    from delivery.models import Runbook  # noqa: PLC0415 - no need to load

    now = timezone.now()
    is_bound = subscription is not None or topic is not None
    with governed(by=None, now=now):
        made = Runbook(
            title=str(fields.pop("title", "When it fails")),
            text=str(fields.pop("text", "## Look\n\nDoes it answer? [Send a test](do:test)")),
            error_class=str(fields.pop("error_class", "" if is_bound else "http_status")),
            subscription=subscription,
            topic=topic,
            changed_at=now,
            **fields,
        )
        made.save()
        made.refresh_from_db()
    return made


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


def make_adapter(
    application: Application | None = None,
    *,
    event_type: EventType | None = None,
    environment: str = Environment.PRODUCTION,
    **fields: object,
) -> Adapter:
    """Return an inbound address with a header secret, which is "secret"."""
    from delivery import sealing  # noqa: PLC0415 - no need to load
    from delivery.models import Adapter  # noqa: PLC0415 - no need to load

    now = timezone.now()
    with governed(by=None, now=now):
        return Adapter.objects.create(
            slug=str(fields.pop("slug", f"adapter-{number()}")),
            name=str(fields.pop("name", "Orders from the shop")),
            application=application or make_application(),
            environment=environment,
            event_type=event_type or make_event_type(),
            secret_name=str(fields.pop("secret_name", "X-Signalbox-Secret")),
            sealed=sealing.seal("secret"),
            created_at=now,
            **fields,
        )
