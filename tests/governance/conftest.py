"""People and things that the tests of governance share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from catalog.models import EventType, Team, Topic, User
from governance import roles
from tests import factories
from tests.governance.world import World, make_world
from tests.visitors import signed_in


@dataclass(frozen=True, kw_only=True)
class People:
    """Alice owns, bob is on her team, charlie is a stranger; and one of each role."""

    team: Team
    alice: User
    bob: User
    charlie: User
    reviewer: User
    admin: User
    support: User


@pytest.fixture
def people(db: None) -> People:
    team = factories.make_team("sales")
    return People(
        team=team,
        alice=factories.make_person("alice", team=team),
        bob=factories.make_person("bob", team=team),
        charlie=factories.make_person("charlie", team=factories.make_team("strangers")),
        reviewer=factories.make_person("rita", role=roles.REVIEWER),
        admin=factories.make_person("adam", role=roles.ADMIN),
        support=factories.make_person("sue", role=roles.SUPPORT),
    )


@pytest.fixture
def topic(db: None) -> Topic:
    """Return the topic of the team that alice is on."""
    return factories.make_topic("sales.orders", owner=factories.make_team("sales"))


@pytest.fixture
def event_type(topic: Topic) -> EventType:
    """Return an event type of that topic with one live version."""
    made = factories.make_event_type("com.acme.sales.order.created", topic=topic)
    factories.make_version(event_type=made)
    return made


@pytest.fixture
def alice(topic: Topic) -> Client:
    """Return the browser of somebody who owns the topic."""
    return signed_in(factories.make_person("alice", team=topic.owner))


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One of each thing, made once a module: hundreds of questions are asked about it."""
    del django_db_setup
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


@pytest.fixture
def world(shop: World, db: None) -> World:
    """Return the module's shop; what the test changes is rolled back."""
    return shop
