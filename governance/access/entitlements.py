"""Everything that grants allow, read at once: for paths that ask thousands of times a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from catalog.models import Application, Topic, User
from catalog.words import Environment, UserKind
from governance.access.codenames import CODENAMES
from governance.models import Grant, TopicGroupPermission, TopicUserPermission

NEVER = datetime.min.replace(tzinfo=UTC)
FOREVER = datetime.max.replace(tzinfo=UTC)
# (application or team, verb, topic, environment)
Key = tuple[UUID, str, UUID, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """An active application: its service account, its team and its account's groups."""

    account_id: UUID
    team_id: UUID
    group_ids: frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entitlements:
    """What every application may do, as of one moment; `until` is asked again at each answer."""

    actors: Mapping[UUID, Actor]
    open_topics: frozenset[UUID]
    ends: Mapping[Key, datetime | None]
    account_permissions: frozenset[tuple[UUID, str, UUID]]
    group_permissions: frozenset[tuple[int, str, UUID]]

    def allows(
        self, application_id: UUID, verb: str, topic_id: UUID, environment: str, now: datetime
    ) -> bool:
        """Answer as `access.allows` would for the application's service account."""
        return self.until(application_id, verb, topic_id, environment) > now

    def until(self, application_id: UUID, verb: str, topic_id: UUID, environment: str) -> datetime:
        """Return when `allows` turns false: `FOREVER` for never, `NEVER` where it is false now.

        For who asks often and keeps the answer as long as this reading.
        """
        actor = self.actors.get(application_id)
        codename = CODENAMES.get((verb, environment))
        if actor is None or codename is None:
            return NEVER
        if environment == Environment.STAGING and topic_id in self.open_topics:
            return FOREVER
        is_enforced = (actor.account_id, codename, topic_id) in self.account_permissions or any(
            (group_id, codename, topic_id) in self.group_permissions for group_id in actor.group_ids
        )
        holders = (application_id, actor.team_id)
        ends = [self._end((one, verb, topic_id, environment)) for one in holders]
        return max(ends) if is_enforced else NEVER

    def _end(self, key: Key) -> datetime:
        return (self.ends[key] or FOREVER) if key in self.ends else NEVER


def entitlements(now: datetime) -> Entitlements:
    """Read what every application may do, in six queries."""
    groups: dict[UUID, set[int]] = {}
    memberships = User.groups.through.objects.filter(user__kind=UserKind.SERVICE)
    for user_id, group_id in memberships.values_list("user_id", "group_id"):
        groups.setdefault(user_id, set()).add(group_id)
    applications = Application.objects.filter(is_active=True, service_account__is_active=True)
    actors = {
        pk: Actor(account_id=account, team_id=team, group_ids=frozenset(groups.get(account, ())))
        for pk, account, team in applications.values_list("pk", "service_account_id", "team_id")
    }
    ends: dict[Key, datetime | None] = {}
    columns = ("application_id", "team_id", "verb", "topic_id", "environment", "until")
    for application, team, verb, topic, environment, until in Grant.objects.in_force(
        now
    ).values_list(*columns):
        ends[application or team, verb, topic, environment] = until
    accounts = TopicUserPermission.objects.filter(user__kind=UserKind.SERVICE)
    open_topics = Topic.objects.filter(is_restricted=False)
    teams = TopicGroupPermission.objects.all()
    named = ("permission__codename", "content_object_id")
    return Entitlements(
        actors=actors,
        open_topics=frozenset(open_topics.values_list("pk", flat=True)),
        ends=ends,
        account_permissions=frozenset(accounts.values_list("user_id", *named)),
        group_permissions=frozenset(teams.values_list("group_id", *named)),
    )
