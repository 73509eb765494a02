"""From a published event to a real receiver, by real workers on each broker."""

from __future__ import annotations

import pytest
from django.utils import timezone

from delivery import publishing
from delivery.cloudevents import Envelope
from delivery.known import Publisher
from delivery.models import Attempt, Delivery, QueueRow
from governance.states import Verb
from tests import factories
from tests.delivery.owing import make_world
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.waiting import wait_until
from tests.delivery.workers import worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.broker]


@pytest.mark.parametrize("broker", ["filesystem", "redis", "rabbitmq"])
def test_a_published_event_arrives_and_a_failed_one_is_retried(
    broker: str,
    request: pytest.FixtureRequest,
    receiver: Receiver,
    process_environment: dict[str, str],
) -> None:
    url = "filesystem://" if broker == "filesystem" else request.getfixturevalue(f"{broker}_url")
    receiver.reply = lambda _got, before: Reply(status=500 if before == 0 else 200)
    subscription, version = make_world(receiver.url(), retry_waits_seconds=[1, 1])
    publisher = factories.make_application()
    factories.make_grant(publisher, topic=subscription.topic, verb=Verb.PUBLISH)
    with worker(process_environment, CELERY_BROKER_URL=url) as running:
        recorded = publishing.publish(
            Envelope(
                id="1",
                source="/shop",
                type=version.event_type.name,
                data_raw=b'{"order_id": "A-1", "amount": 2}',
                data={"order_id": "A-1", "amount": 2},
            ),
            publisher=Publisher(application_id=publisher.pk, environment="production"),
            now=timezone.now(),
        )
        assert recorded.deliveries == 1
        wait_until(lambda: not QueueRow.objects.exists(), seconds=20)
        assert Delivery.objects.get().status == "delivered"
        assert list(Attempt.objects.values_list("number", "status_code")) == [(1, 500), (2, 200)]
        assert len(receiver.ids()) == 1
        assert running.terminate() == 0
