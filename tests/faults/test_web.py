"""The web process killed while it takes events: what it answered 202 is there."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from config import places
from delivery.models import Delivery, Event
from governance.states import Verb
from tests import factories
from tests.delivery.owing import make_world
from tests.delivery.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]

PUBLISHERS = 4
BEFORE, AFTER = 150, 300


@contextlib.contextmanager
def serving(
    listener: socket.socket, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the web process on a socket that outlives it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "config.serve", "--fd", str(listener.fileno())],
        cwd=places.BASE_DIR,
        env=environment,
        pass_fds=[listener.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


class Publisher(threading.Thread):
    """Publishes one event after the other and remembers which were taken."""

    def __init__(self, name: str, port: int, key: str, type_name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.taken: list[str] = []
        self.is_done = threading.Event()
        self._port, self._key, self._type = port, key, type_name

    def run(self) -> None:
        number = 0
        while not self.is_done.is_set():
            number += 1
            event_id = f"{self.name}-{number}"
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._publish(event_id) == 202:
                    self.taken.append(event_id)

    def _publish(self, event_id: str) -> int:
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": "/shop",
            "type": self._type,
            "data": {"order_id": event_id, "amount": 1},
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            connection.request(
                "POST",
                "/api/v1/events",
                body=json.dumps(event),
                headers={
                    "X-API-Key": self._key,
                    "Content-Type": "application/cloudevents+json",
                },
            )
            return connection.getresponse().status


def wait_for(publishers: list[Publisher], count: int, *, seconds: float) -> None:
    wait_until(lambda: sum(len(one.taken) for one in publishers) >= count, seconds=seconds)


def test_everything_answered_202_survives_a_killed_web_process(
    process_environment: dict[str, str],
) -> None:
    subscription, version = make_world("http://127.0.0.1:9/")
    application = factories.make_application()
    factories.make_grant(application, topic=subscription.topic, verb=Verb.PUBLISH)
    _key, plain = factories.make_key(application)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        port = listener.getsockname()[1]
        publishers = [
            Publisher(f"p{number}", port, plain, version.event_type.name)
            for number in range(PUBLISHERS)
        ]
        with serving(listener, process_environment) as first:
            for one in publishers:
                one.start()
            wait_for(publishers, BEFORE, seconds=30)
            first.kill()
        with serving(listener, process_environment):
            wait_for(publishers, AFTER, seconds=30)
            for one in publishers:
                one.is_done.set()
            for one in publishers:
                one.join(40)
    taken = {event_id for one in publishers for event_id in one.taken}
    stored = set(Event.objects.values_list("event_id", flat=True))
    assert taken <= stored
    assert Delivery.objects.count() == len(stored)
