"""Daily partitions, made ahead of time and in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from delivery import knowledge, partitions
from tests.delivery.owing import make_events, make_world

pytestmark = pytest.mark.django_db(transaction=True)

# No other test makes partitions so far ahead.
FAR = datetime(2087, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _drop_what_was_made() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        for table in partitions.TABLES:
            for day in range(5):
                name = f"{table}_{FAR + timedelta(days=day):%Y%m%d}"
                cursor.execute(f"DROP TABLE IF EXISTS {name}")


def test_days_are_made_once() -> None:
    assert len(partitions.ensure(FAR, days_ahead=1)) == 2 * len(partitions.TABLES)
    assert partitions.ensure(FAR, days_ahead=1) == []


def test_a_long_reader_leaves_them_for_later_and_holds_up_no_publisher() -> None:
    _subscription, version = make_world("http://127.0.0.1:9/")
    with psycopg.connect(**knowledge.own_connection()) as reader:
        reader.execute("SELECT count(*) FROM delivery_event")
        started = time.monotonic()
        assert partitions.ensure(FAR, days_ahead=1) == []
        assert time.monotonic() - started < 3 * partitions.LOCK_MILLISECONDS / 1000
        make_events(version)
    assert len(partitions.ensure(FAR, days_ahead=1)) == 2 * len(partitions.TABLES)
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)
