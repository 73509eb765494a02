"""Domains and topics: adding them and changing what they promise."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import Domain, Region, Team, Topic, User
from catalog.words import TopicKind
from governance import access, differences, indexing, signals
from governance.actions import Action
from governance.governed import governed, record

DOMAIN_CHANGEABLE = frozenset({"name", "description", "owner"})
# In the order in which forms ask for them.
TOPIC_FIELDS = (
    "title",
    "description",
    "owner",
    "kind",
    "batch_max_events",
    "batch_max_bytes",
    "batch_max_wait_seconds",
    "batch_times",
    "batch_time_zone",
    "is_restricted",
    "ordering_key",
    "regions",
    "criticality",
    "retention_days",
    "payload_ceiling_bytes",
    "field_case",
    "house_rules",
)
TOPIC_CHANGEABLE = frozenset(TOPIC_FIELDS)


def create_domain(
    *, slug: str, name: str, owner: Team, description: str = "", by: User, now: datetime
) -> Domain:
    """Add a business area that the team answers for."""
    with governed(by=by, now=now):
        access.require(by, Action.DOMAIN_CREATE, now=now)
        domain = Domain(slug=slug, name=name.strip(), owner=owner, description=description)
        domain.full_clean()
        domain.save()
        signals.domain_created.send(sender=Domain, thing=domain, by=by, now=now)
        record(
            Action.DOMAIN_CREATE,
            domain,
            after={"slug": slug, "name": domain.name, "owner": owner.slug},
            related=(owner,),
        )
    return domain


def change_domain(domain: Domain, *, by: User, now: datetime, **values: object) -> Domain:
    """Set any of name, description and owner."""
    _refuse_unknown("domain", values.keys() - DOMAIN_CHANGEABLE)
    with governed(by=by, now=now):
        access.require(by, Action.DOMAIN_CHANGE, domain, now=now)
        domain = Domain.objects.select_for_update(of=("self",)).get(pk=domain.pk)
        old_owner = domain.owner
        before, after = differences.take(domain, values)
        if not after:
            return domain
        domain.full_clean()
        domain.save()
        signals.domain_changed.send(sender=Domain, thing=domain, by=by, now=now)
        record(
            Action.DOMAIN_CHANGE,
            domain,
            before=before,
            after=after,
            related=(domain.owner, old_owner),
        )
    return domain


def create(
    *,
    name: str,
    title: str,
    domain: Domain,
    owner: Team | None = None,
    description: str = "",
    kind: str = TopicKind.STREAMING,
    by: User,
    now: datetime,
    **promises: object,
) -> Topic:
    """Add a topic to the domain, owned by the domain's team unless `owner` says otherwise.

    `promises` are further fields of `TOPIC_CHANGEABLE`.
    """
    _refuse_unknown("topic", promises.keys() - TOPIC_CHANGEABLE)
    with governed(by=by, now=now):
        access.require(by, Action.TOPIC_CREATE, domain, now=now)
        topic = Topic(
            name=name,
            title=title.strip(),
            domain=domain,
            owner=owner or domain.owner,
            description=description,
            kind=kind,
            **promises,
        )
        _check(topic)
        topic.save()
        signals.topic_created.send(sender=Topic, thing=topic, by=by, now=now)
        record(
            Action.TOPIC_CREATE,
            topic,
            after={"name": name, "title": topic.title, "owner": topic.owner.slug, "kind": kind},
            related=(domain, topic.owner),
        )
    return topic


def change(topic: Topic, *, by: User, now: datetime, reason: str = "", **values: object) -> Topic:
    """Set any of `TOPIC_CHANGEABLE`."""
    _refuse_unknown("topic", values.keys() - TOPIC_CHANGEABLE)
    with governed(by=by, now=now, reason=reason):
        access.require(by, Action.TOPIC_CHANGE, topic, now=now)
        return change_unasked(topic, by=by, now=now, **values)


def change_unasked(topic: Topic, *, by: User, now: datetime, **values: object) -> Topic:
    """Change a topic inside a verb that has asked for the permission itself (an applied change)."""
    topic = Topic.objects.select_for_update(of=("self",)).get(pk=topic.pk)
    old_owner = topic.owner
    before, after = differences.take(topic, values)
    if not after:
        return topic
    _check(topic)
    topic.save()
    if "title" in after:  # its event types are found by it
        for event_type in topic.event_types.select_related("topic"):
            indexing.index(event_type)
    signals.topic_changed.send(sender=Topic, thing=topic, by=by, now=now, changed=after.keys())
    record(
        Action.TOPIC_CHANGE,
        topic,
        before=before,
        after=after,
        related=(topic.domain, topic.owner, old_owner),
    )
    return topic


def _check(topic: Topic) -> None:
    topic.full_clean()
    known = set(Region.objects.values_list("code", flat=True))
    unknown = [region for region in topic.regions if region not in known]
    if unknown:
        raise ValidationError(
            {"regions": _("There is no region %s here.") % ", ".join(sorted(unknown))}
        )


def _refuse_unknown(kind: str, names: set[str]) -> None:
    if names:
        raise TypeError(f"A {kind} has no {', '.join(sorted(names))} to change.")
