"""PostgreSQL stopped at once, again and again, while web and workers use it."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest

from delivery.models import Delivery, Event, QueueRow
from governance.states import Verb
from tests import factories
from tests.delivery.owing import make_world
from tests.delivery.receiver import Receiver
from tests.delivery.waiting import wait_until
from tests.delivery.workers import worker
from tests.faults.own_server import own_server
from tests.faults.test_web import Publisher, serving, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

PUBLISHERS = 3
CRASHES = 2
BETWEEN = 30  # events that are taken before each crash, and after the last
TIMEOUT_SECONDS = 1
# A request goes out only while its lease lasts so much longer; see `dispatch.Engine`.
SOONEST_AGAIN_SECONDS = TIMEOUT_SECONDS + 1


def test_a_database_that_crashes_under_load_loses_nothing_that_was_taken(
    process_environment: dict[str, str],
) -> None:
    with (
        Receiver().running() as receiver,
        own_server(process_environment) as server,
        socket.socket() as listener,
    ):
        subscription, version = make_world(
            receiver.url(), timeout_seconds=TIMEOUT_SECONDS, concurrency=8
        )
        application = factories.make_application()
        factories.make_grant(application, topic=subscription.topic, verb=Verb.PUBLISH)
        _key, plain = factories.make_key(application)
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        publishers = [
            Publisher(f"p{number}", listener.getsockname()[1], plain, version.event_type.name)
            for number in range(PUBLISHERS)
        ]
        environment = {
            **process_environment,
            "DATABASE_URL": server.url,
            "DELIVERY_LEASE_SECONDS": "3",
        }
        with serving(listener, environment), worker(environment):
            for one in publishers:
                one.start()
            for crash in range(1, CRASHES + 1):
                wait_for(publishers, crash * BETWEEN, seconds=60)
                receiver.wait_for(crash * BETWEEN // 2, seconds=20)
                server.crash()
            wait_for(publishers, (CRASHES + 1) * BETWEEN, seconds=60)
            for one in publishers:
                one.is_done.set()
            for one in publishers:
                one.join(40)
            wait_until(lambda: not QueueRow.objects.exists(), seconds=30)
        taken = {event_id for one in publishers for event_id in one.taken}
        stored = dict(Event.objects.values_list("event_id", "pk"))
        assert taken <= stored.keys()
        assert set(receiver.ids()) == {f"msg_{pk}" for pk in stored.values()}
        assert Delivery.objects.filter(status="delivered").count() == len(stored)
        assert Delivery.objects.count() == len(stored)
        assert_only_leases_explain_duplicates(receiver)


def assert_only_leases_explain_duplicates(receiver: Receiver) -> None:
    """What came twice was sent again when the lease of the first had ended, and no sooner."""
    came: dict[str, list[float]] = {}
    for got in receiver.got:
        came.setdefault(got.id, []).append(got.at)
    for times in came.values():
        assert len(times) <= 1 + CRASHES
        for one, next_one in pairwise(times):
            assert next_one - one > SOONEST_AGAIN_SECONDS - 0.5
