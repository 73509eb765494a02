"""What the benches deliver to: a topic, a version of its events, and subscriptions that stand."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests import brokers

if TYPE_CHECKING:
    from catalog.models import SchemaVersion
    from delivery.models import Subscription

CONNECTIONS = 64  # at once to one endpoint: room for many requests
_numbers = itertools.count(1)


def make(
    name: str, urls: list[str], *, concurrency: int = CONNECTIONS, **contract: Any
) -> tuple[list[Subscription], SchemaVersion]:
    """Make a topic, a version of its one event type, and a signed subscription for each URL.

    `contract` is what the version is made of, where that matters.
    """
    from django.utils import timezone  # noqa: PLC0415 - Django is set up by now

    from delivery import endpoints  # noqa: PLC0415
    from governance.governed import governed  # noqa: PLC0415
    from tests import factories  # noqa: PLC0415

    tag = f"{name}{next(_numbers)}p{os.getpid()}"
    topic = factories.make_topic(f"bench.{tag}")
    event_type = factories.make_event_type(f"com.acme.bench.{tag}.created", topic=topic)
    version = factories.make_version(event_type=event_type, **contract)
    application = factories.make_application(f"bench-{tag}")
    made = []
    for number, url in enumerate(urls, 1):
        subscription = factories.make_subscription(
            application, topic=topic, url=url, concurrency=concurrency, name=f"{tag}-{number}"
        )
        assert subscription.endpoint is not None
        with governed(by=None, now=timezone.now()):
            endpoints.add_secret(subscription.endpoint, now=timezone.now())
        made.append(subscription)
    return made, version


@contextlib.contextmanager
def broker(name: str) -> Iterator[Mapping[str, str]]:
    """Run the broker of this name until the end of the block; yield what processes must know."""
    if name == "default broker":
        yield {}
        return
    starting = {"Redis": brokers.redis, "RabbitMQ": brokers.rabbitmq}[name]
    with starting() as url:
        yield {"CELERY_BROKER_URL": url}


BROKERS = ("default broker", "Redis", "RabbitMQ")
