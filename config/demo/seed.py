"""Builds the demo shop through the verbs that people use: history and ledger tell its story."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from catalog.models import Application, Domain, Region, Team, Topic, User
from catalog.words import Environment
from config.demo import changes, content
from config.demo import runbooks as demo_runbooks
from delivery import portal_events, runbooks, subscriptions
from governance import (
    access_requests,
    applications,
    grants,
    house_rules,
    keys,
    people,
    portal_topic,
    roles,
    teams,
    topics,
)
from governance.governed import governed, record
from governance.states import Verb

WHY = "The demo shop"


def seed(*, receiver_url: str, data_dir: Path, now: datetime) -> Mapping[str, Any]:
    """Build the shop in an empty database; return logins and keys, kept in `demo.json` as well.

    The shape is that of `up --json`: {"users": {role: {"username", "password"}},
    "keys": {application: {environment: key}}, "publish_command": text with "{url}"}.
    """
    builder = _Builder(receiver_url=receiver_url, now=now)
    builder.people()
    builder.places()
    desk = changes.Desk(people=builder.by_key, now=now)
    desk.contracts()
    made_keys = builder.systems()
    builder.orders()
    desk.others()
    builder.request()
    builder.playbook()
    made_keys |= builder.operations()
    shown: dict[str, Any] = {
        "users": builder.logins,
        "keys": made_keys,
        "publish_command": _publish_command(made_keys["web-shop"][Environment.PRODUCTION]),
    }
    path = data_dir / "demo.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(shown, indent=2))
    return shown


class _Builder:
    """The steps of building the shop, in order; each needs the ones before."""

    def __init__(self, *, receiver_url: str, now: datetime) -> None:
        self.receiver_url = receiver_url
        self.now = now
        self.logins: dict[str, dict[str, str]] = {}
        self.by_key: dict[str, User] = {}

    def people(self) -> None:
        """Make teams and people; the admin first, who makes all others."""
        admin = next(one for one in content.PEOPLE if one.key == "admin")
        self.by_key["admin"] = self._first_admin(admin)
        for slug, (name, description) in content.TEAMS.items():
            teams.create(slug=slug, name=name, description=description, by=self.admin, now=self.now)
        for person in (*content.PEOPLE, *content.COLLEAGUES):
            if person.key != "admin":
                self.by_key[person.key] = self._person(person)
            made = self.by_key[person.key]
            team = Team.objects.get(slug=person.team)
            teams.add_member(team, made, by=self.admin, now=self.now)
            User.objects.filter(pk=made.pk).update(time_zone=person.time_zone)

    @property
    def admin(self) -> User:
        """Return the admin, who builds what nobody else may."""
        return self.by_key["admin"]

    def _first_admin(self, person: content.Person) -> User:
        """Make the one person whom nobody makes, as an installation's first admin is made."""
        with governed(by=None, now=self.now, reason=WHY):
            made = User(username=person.username, name=person.name, is_staff=True)
            made.set_password(self._password(person))
            made.is_superuser = True
            made.save()
            record("user:change", made, after={"username": made.username})
        people.give_role(made, roles.ADMIN, by=made, now=self.now)
        return made

    def _person(self, person: content.Person) -> User:
        is_login = person in content.PEOPLE
        made = people.create(
            username=person.username,
            name=person.name,
            # Nobody is there (RFC 2606): a copy for one machine keeps its mail as files.
            email=f"{person.username}@example.org",
            password=self._password(person) if is_login else None,
            by=self.admin,
            now=self.now,
        )
        people.give_role(made, getattr(roles, person.role), by=self.admin, now=self.now)
        return made

    def _password(self, person: content.Person) -> str:
        password = secrets.token_urlsafe(9)
        self.logins[person.key] = {"username": person.username, "password": password}
        return password

    def places(self) -> None:
        """Make regions, domains and topics."""
        with governed(by=self.admin, now=self.now, reason=WHY):
            for code, name in content.REGIONS.items():
                region = Region.objects.create(code=code, name=name)
                record("region:create", region, after={"code": code, "name": name})
        house_rules.weigh(content.HOUSE_RULES, by=self.admin, reason=WHY, now=self.now)
        for slug, (name, description, owner) in content.DOMAINS.items():
            topics.create_domain(
                slug=slug,
                name=name,
                description=description,
                owner=Team.objects.get(slug=owner),
                by=self.admin,
                now=self.now,
            )
        for name, (title, domain, owner, description, more) in content.TOPICS.items():
            topics.create(
                name=name,
                title=title,
                domain=Domain.objects.get(slug=domain),
                owner=Team.objects.get(slug=owner),
                description=description,
                by=self.admin,
                now=self.now,
                **more,
            )

    def systems(self) -> dict[str, dict[str, str]]:
        """Register applications, give grants and make keys; return the keys in plain."""
        made_keys = self._register(content.SYSTEMS)
        for index, (slug, verb, topic_name) in enumerate(content.GRANTS):
            grants.give(
                Application.objects.get(slug=slug),
                verb=verb,
                topic=Topic.objects.get(name=topic_name),
                environment=Environment.PRODUCTION,
                # One ends soon, so that the page about it is not empty.
                until=self.now + timedelta(days=6 if index == 6 else 365),
                by=self.admin,
                reason=WHY,
                now=self.now,
            )
        return made_keys

    def _register(self, systems: Iterable[content.System]) -> dict[str, dict[str, str]]:
        made_keys: dict[str, dict[str, str]] = {}
        for system in systems:
            application = applications.register(
                name=system.name,
                kind=system.kind,
                team=Team.objects.get(slug=system.team),
                region=Region.objects.get(code=system.region),
                description=system.description,
                by=self.admin,
                now=self.now,
            )
            made_keys[application.slug] = {
                environment: keys.create(
                    application, environment=environment, label="demo", by=self.admin, now=self.now
                )[1]
                for environment in Environment.values
            }
        return made_keys

    def orders(self) -> None:
        """Make the standing orders: healthy, slow, flaky, pinned and dead subscribers."""
        for slug, name, topic_name, types, path, wanted in content.SUBSCRIPTIONS:
            wishes = {"environment": Environment.PRODUCTION, **content.WISHES.get(name, {})}
            subscriptions.create(
                application=Application.objects.get(slug=slug),
                topic=Topic.objects.get(name=topic_name),
                name=name,
                event_types=types,
                endpoint_url=self.receiver_url + path,
                filter=wanted,
                **wishes,
                by=self.admin,
                now=self.now,
            )

    def playbook(self) -> None:
        """Give support a runbook for each kind of failure."""
        for content_of_one in demo_runbooks.pages():
            runbooks.write(content_of_one, by=self.by_key["support"], now=self.now)

    def request(self) -> None:
        """Leave an access request for an admin to decide."""
        access_requests.make(
            Application.objects.get(slug="shelf-display"),
            verb=Verb.SUBSCRIBE,
            topic=Topic.objects.get(name="sales.orders"),
            environment=Environment.PRODUCTION,
            by=self.by_key["picker"],
            reason="Show new orders beside the shelf, so that picking can start.",
            wanted_until=self.now + timedelta(days=180),
            now=self.now,
        )

    def operations(self) -> dict[str, dict[str, str]]:
        """Let a flow of the platform team react to what Signalbox says of itself."""
        portal_events.ensure_topic(now=self.now)
        topic = Topic.objects.get(name=portal_topic.NAME)
        made_keys = self._register([content.OPERATIONS_FLOW])
        application = Application.objects.get(slug=content.OPERATIONS_FLOW.slug)
        grants.give(
            application,
            verb=Verb.SUBSCRIBE,
            topic=topic,
            environment=Environment.PRODUCTION,
            until=None,
            by=self.admin,
            reason=WHY,
            now=self.now,
        )
        subscriptions.create(
            application=application,
            topic=topic,
            environment=Environment.PRODUCTION,
            name=content.OPERATIONS_FLOW.name,
            event_types=[],
            endpoint_url=self.receiver_url + "/healthy",
            filter={},
            by=self.admin,
            now=self.now,
        )
        return made_keys


def _publish_command(key: str) -> str:
    contract = content.CONTRACTS[0]
    _version, _schema, newest_sample, _change = contract.versions[-1]
    data = json.dumps(newest_sample, ensure_ascii=False)
    return (
        "curl -i {url}/api/v1/events"
        f" -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
        " -H 'ce-specversion: 1.0' -H \"ce-id: $(date +%s%N)\" -H 'ce-source: /demo/terminal'"
        f" -H 'ce-type: {contract.name}' -d '{data}'"
    )
