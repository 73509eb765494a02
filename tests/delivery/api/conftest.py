"""What tests of the machine API share."""

from __future__ import annotations

import pytest

from tests import factories
from tests.asking import make_machine
from tests.delivery.api.shop import TYPE, Shop


@pytest.fixture
def shop() -> Shop:
    topic = factories.make_topic("sales.orders")
    event_type = factories.make_event_type(TYPE, topic=topic)
    version = factories.make_version("1.2.0", event_type=event_type)
    machine = make_machine()
    factories.make_grant(machine.application, topic=topic)
    return Shop(topic=topic, event_type=event_type, version=version, machine=machine)
