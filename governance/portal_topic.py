"""The portal's own topic: what Signalbox says of itself, for flows that react to it.

It is made once, with its contracts, by whoever finds it missing; after that it is a topic as any
other, and what people changed of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import connection

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
from governance import grants, indexing, proposals
from governance.actions import Action
from governance.governed import governed, record
from governance.models import Grant
from governance.states import Verb

NAME = "portal.operations"
SLUG = "signalbox"  # of its team, its domain and the application that publishes
WHY = "Signalbox publishes what happens to its own deliveries here."
_LOCK = 0x5B0_7091C  # any number that nothing else locks by


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """An event type of the topic with its first version; documents are JSON texts."""

    name: str
    title: str
    description: str
    happens_when: str
    document: str
    example: str


def ensure(contracts: Iterable[Contract], *, now: datetime) -> Application:
    """Make what is missing of the topic, its contracts and its publisher; return the publisher."""
    with governed(by=None, now=now, reason=WHY):
        with connection.cursor() as cursor:
            # Workers may find it missing at the same moment.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        topic = Topic.objects.filter(name=NAME).first() or _make_topic()
        standing = set(topic.event_types.values_list("name", flat=True))
        for contract in contracts:
            if contract.name not in standing:
                _make_type(topic, contract, now)
        publisher = Application.objects.filter(slug=SLUG).first() or _make_publisher(topic.owner)
        _let_publish(publisher, topic, now)
    return publisher


def _make_topic() -> Topic:
    team = Team.objects.filter(slug=SLUG).first() or _make_team()
    domain = Domain.objects.filter(slug=SLUG).first()
    if domain is None:
        domain = Domain.objects.create(
            slug=SLUG,
            name="Signalbox",
            description="What the portal says of its own work.",
            owner=team,
        )
        record(Action.DOMAIN_CREATE, domain, after={"slug": SLUG}, related=(team,))
    topic = Topic.objects.create(
        name=NAME,
        title="Operations of the portal",
        description="Circuits, failures, grants and reviews, so that a flow can react to them.",
        domain=domain,
        owner=team,
        # It names everybody's subscriptions: who reads it is somebody's decision.
        is_restricted=True,
        retention_days=30,
    )
    record(Action.TOPIC_CREATE, topic, after={"name": NAME}, related=(domain, team))
    return topic


def _make_team() -> Team:
    group, _is_new = Group.objects.get_or_create(name=f"team:{SLUG}")
    team = Team.objects.create(
        slug=SLUG, name="Signalbox", description="The portal itself.", group=group
    )
    record(Action.TEAM_CHANGE, team, after={"slug": SLUG})
    return team


def _make_type(topic: Topic, contract: Contract, now: datetime) -> None:
    event_type = EventType.objects.create(
        name=contract.name,
        title=contract.title,
        description=contract.description,
        happens_when=contract.happens_when,
        topic=topic,
        tags=["operations"],
    )
    record(Action.EVENT_TYPE_CREATE, event_type, after={"name": contract.name}, related=(topic,))
    version = SchemaVersion.objects.create(
        event_type=event_type,
        version="1.0.0",
        document=contract.document,
        document_sha256=proposals.digest(contract.document),
        example=contract.example,
        changes="First version.",
    )
    for environment in Environment:
        Release.objects.create(
            version=version, environment=environment, state=ReleaseState.LIVE, since=now
        )
    indexing.index(event_type)
    record(
        Action.VERSION_APPLY,
        version,
        after={"version": version.version, "document_sha256": version.document_sha256},
        related=(event_type, topic),
    )


def _make_publisher(team: Team) -> Application:
    region = Region.objects.order_by("pk").first()
    if region is None:
        region = Region.objects.create(code="here", name="Where Signalbox runs")
    account = User(username=f"app-{SLUG}", name="Signalbox", kind=UserKind.SERVICE)
    account.set_unusable_password()
    account.save()
    account.groups.add(team.group)
    publisher = Application.objects.create(
        slug=SLUG,
        name="Signalbox",
        kind=ApplicationKind.SERVICE,
        description="The portal itself.",
        team=team,
        region=region,
        service_account=account,
    )
    record(Action.APPLICATION_REGISTER, publisher, after={"name": "Signalbox"}, related=(team,))
    return publisher


def _let_publish(publisher: Application, topic: Topic, now: datetime) -> None:
    """Give it its grants once; one that somebody revoked stays revoked."""
    had = set(
        Grant.objects.filter(application=publisher, topic=topic).values_list(
            "environment", flat=True
        )
    )
    for environment in Environment.values:
        if environment not in had:
            grants.give_unasked(
                publisher,
                verb=Verb.PUBLISH,
                topic=topic,
                environment=environment,
                until=None,
                by=None,
                reason=WHY,
                now=now,
            )
