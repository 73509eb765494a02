"""A database with rows of the first release comes through every migration since."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from delivery.cloudevents import dedup_key
from delivery.models import Event, EventIdentity
from tests.seeding import OURS, seed

FIRST = [("catalog", "0001_initial"), ("governance", "0002_immutable"), ("delivery", "0002_tables")]
# What constraints of the first release ask for beyond what is required.
SPECIAL = {
    "delivery.Subscription": {"endpoint": "delivery.Endpoint"},
    "governance.Grant": {"application": "catalog.Application"},
    "governance.AccessRequest": {"application": "catalog.Application"},
}


@pytest.fixture
def empty_database(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Have this process's connection lead to a database without tables."""
    del django_db_setup
    standing = connection.settings_dict["NAME"]
    name = f"{standing}_seeded"
    with django_db_blocker.unblock():
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        connections.close_all()
        connection.settings_dict["NAME"] = name
        try:
            yield
        finally:
            connections.close_all()
            connection.settings_dict["NAME"] = standing
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.usefixtures("empty_database")
def test_rows_of_the_first_release_come_through_all_migrations() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(FIRST)
    made = seed(executor.loader.project_state(FIRST).apps, SPECIAL)
    event = made["delivery.Event"]
    EventIdentity.objects.update(event_id=event.pk)

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    # Each row is there still, and whole for the models of today.
    for label, row in made.items():
        # An identity's key is a digest that has the application in it since.
        if label.split(".")[0] in OURS and label != "delivery.EventIdentity":
            assert apps.get_model(label)._base_manager.get(pk=row.pk) is not None
    kept = Event.objects.get()
    identity = EventIdentity.objects.get()
    key = dedup_key(kept.environment, kept.application_id, kept.source, kept.event_id)
    assert bytes(identity.digest) == key
