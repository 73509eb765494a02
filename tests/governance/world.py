"""A small shop in which every thing that a rule speaks of exists once.

The topic is the stock team's, the application and what hangs on it the sales team's.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db import models

from catalog.models import Topic, User
from governance import roles
from tests import factories


@dataclass(frozen=True, kw_only=True)
class World:
    """Who asks, and what about."""

    people: dict[str, User | AnonymousUser]
    things: dict[str, models.Model | None]

    def person(self, name: str) -> User:
        user = self.people[name]
        assert isinstance(user, User)
        return user

    def thing(self, name: str) -> models.Model:
        thing = self.things[name]
        assert thing is not None
        return thing


def make_people() -> dict[str, User | AnonymousUser]:
    """Alice and bob are on the sales team, dave on the stock team, charlie on neither."""
    sales, stock = factories.make_team("sales"), factories.make_team("stock")
    return {
        "alice": factories.make_person("alice", team=sales),
        "bob": factories.make_person("bob", team=sales),
        "dave": factories.make_person("dave", team=stock),
        "charlie": factories.make_person("charlie", team=factories.make_team("strangers")),
        "reviewer": factories.make_person("rita", role=roles.REVIEWER),
        "own reviewer": factories.make_person("olga", role=roles.REVIEWER, team=stock),
        "admin": factories.make_person("adam", role=roles.ADMIN),
        "support": factories.make_person("sue", role=roles.SUPPORT),
        "superuser": factories.make_person("root", role=None, is_superuser=True),
        "nobody": factories.make_person("nemo", role=None),
        "inactive superuser": factories.make_person("ghost", is_superuser=True, is_active=False),
        "inactive owner": factories.make_person("gone", team=sales, is_active=False),
        "anonymous": AnonymousUser(),
    }


def make_things(people: dict[str, User | AnonymousUser], topic: Topic) -> dict[str, models.Model]:
    """Make one of each thing: alice asked and proposed, support replays."""
    alice, support = people["alice"], people["support"]
    assert isinstance(alice, User)
    assert isinstance(support, User)
    sales = factories.make_team("sales")
    application = factories.make_application(team=sales)
    publisher = factories.make_application(team=sales)
    version = factories.make_version(event_type=factories.make_event_type(topic=topic))
    subscription = factories.make_subscription(application, topic=topic)
    key, _plain = factories.make_key(application)
    event = factories.make_event(event_type=version.event_type, application=publisher)
    grant = application.grants.get()
    endpoint = subscription.endpoint
    assert endpoint is not None
    return {
        "team": sales,
        "domain": topic.domain,
        "topic": topic,
        "event type": version.event_type,
        "version": version,
        "application": application,
        "key": key,
        "grant": grant,
        "request": factories.make_access_request(publisher, topic=topic, by=alice),
        "change": factories.make_change_request(topic=topic, by=alice),
        "subscription": subscription,
        "rule": factories.make_rule(topic),
        "endpoint": endpoint,
        "adapter": factories.make_adapter(application, event_type=version.event_type),
        "event": event,
        "delivery": factories.make_delivery(event, subscription=subscription),
        "failure": factories.make_failure_group(subscription),
        "runbook": factories.make_runbook(subscription, topic=topic),
        "replay": factories.make_replay(subscription, by=support),
    }


def make_world(*, is_restricted: bool = False) -> World:
    people = make_people()
    topic = factories.make_topic(
        "stock.levels", owner=factories.make_team("stock"), is_restricted=is_restricted
    )
    return World(people=people, things={**make_things(people, topic), "": None})
