"""Traces from publish to each attempt, to a real receiver; and none at all where nobody asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_network
from itertools import pairwise

import pytest
from django.utils import timezone
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from config import places, telemetry
from delivery import knowledge, stopping, tracing
from delivery.dispatch import Engine
from delivery.models import Circuit, Event, QueueRow, Subscription
from delivery.transports.webhook import WebhookTransport
from governance.states import Verb
from tests import factories
from tests.config.otlp import Collector, attributes, collector
from tests.delivery.receiver import Receiver, Reply
from tests.delivery.serving import Server, serving
from tests.portal import command_environment

pytestmark = pytest.mark.django_db(transaction=True)
TYPE = "com.acme.sales.order.created"
INCOMING = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().running() as running:
        yield running


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "signalbox-test")
        yield running
        telemetry.stop()


def make_shop(receiver: Receiver) -> tuple[str, Subscription]:
    """Return a key to publish with, and the subscription that is owed the event."""
    knowledge.stop()
    topic = factories.make_topic("sales.orders")
    factories.make_version(event_type=factories.make_event_type(TYPE, topic=topic))
    application = factories.make_application("shop")
    factories.make_grant(application, topic=topic, verb=Verb.PUBLISH)
    subscription = factories.make_subscription(topic=topic, url=receiver.url("/secret-path"))
    return factories.make_key(application)[1], subscription


def publish(server: Server, key: str, **more: str) -> None:
    headers = {"Content-Type": "application/json", "X-API-Key": key, "ce-specversion": "1.0"}
    headers |= {"ce-id": "A-1", "ce-source": "/shop", "ce-type": TYPE, **more}
    body = b'{"order_id": "walrus", "amount": 59.9}'
    answer = server.request("POST", "/api/v1/events", body=body, headers=headers)
    assert answer.status == 202, answer.body


def branch(traced: Collector) -> list[Span]:
    """Return the spans of one event with one attempt, each the parent of the next."""
    found = [traced.named(name) for name in ("publish", "route", "deliver", "attempt")]
    assert [len(spans) for spans in found] == [1, 1, 1, 1]
    spans = [span for (span,) in found]
    for parent, child in pairwise(spans):
        assert child.parent_span_id == parent.span_id
    return spans


def deliver() -> None:
    """Send what is owed in a process that traces."""
    telemetry.start()
    engine = Engine(transport=WebhookTransport(allowed_networks=(ip_network("127.0.0.0/8"),)))
    try:
        engine.drain(seconds=5)
    finally:
        engine.close()
        stopping.clear()
        telemetry.stop()


def test_publish_and_attempts_are_one_trace_of_the_publisher(
    traced: Collector, receiver: Receiver
) -> None:
    key, subscription = make_shop(receiver)
    receiver.reply = lambda _got, _before: Reply(status=500, body="walrus")
    with serving() as server:
        publish(server, key, traceparent=INCOMING)
    event = Event.objects.get()
    assert event.trace_parent == INCOMING
    deliver()
    published, *beneath = branch(traced)
    assert published.parent_span_id.hex() == INCOMING[36:52]
    for span in (published, *beneath):
        assert span.trace_id.hex() == INCOMING[3:35]
        assert attributes(span)["signalbox.event.id"] == str(event.pk)
    attempt = beneath[-1]
    told = attributes(attempt)
    assert told["signalbox.subscription.id"] == str(subscription.pk)
    assert told["http.response.status_code"] == 500
    assert told["error.type"] == "http_status"
    # What goes out carries the attempt's own span, so the receiver's is its child.
    assert (
        receiver.got[0].headers["traceparent"] == f"00-{INCOMING[3:35]}-{attempt.span_id.hex()}-01"
    )
    assert traced.services == {"signalbox-test"}
    said = "".join(str(span) for span in traced.spans)
    assert "walrus" not in said  # neither payload nor answer
    assert "secret-path" not in said


def test_event_without_a_context_begins_a_trace_with_its_publication_as_root(
    traced: Collector, receiver: Receiver
) -> None:
    key, _subscription = make_shop(receiver)
    with serving() as server:
        publish(server, key)
        publish(server, key)  # a duplicate is no second publication
    deliver()
    written = Event.objects.get().trace_parent
    published, *beneath = branch(traced)
    assert published.parent_span_id == b""
    assert written == f"00-{published.trace_id.hex()}-{published.span_id.hex()}-01"
    assert {span.trace_id for span in beneath} == {published.trace_id}
    waited = beneath[1]
    assert waited.start_time_unix_nano <= waited.end_time_unix_nano


def test_every_try_of_every_subscriber_stands_beneath_its_own_delivery(
    traced: Collector, receiver: Receiver
) -> None:
    key, subscription = make_shop(receiver)
    factories.make_subscription(topic=subscription.topic, url=receiver.url("/other"))
    receiver.reply = lambda _got, before: Reply(status=503 if before < 2 else 200)
    with serving() as server:
        publish(server, key, traceparent=INCOMING)
    deliver()
    QueueRow.objects.update(due_at=timezone.now())
    Circuit.objects.update(state="closed")
    deliver()
    (route,) = traced.named("route")
    delivers, attempts = traced.named("deliver"), traced.named("attempt")
    assert [span.parent_span_id for span in delivers] == [route.span_id] * 2
    assert len(attempts) == 4
    for one in delivers:
        mine = [span for span in attempts if span.parent_span_id == one.span_id]
        assert [attributes(span)["signalbox.attempt"] for span in mine] == [1, 2]
        told = {attributes(span)["signalbox.subscription.id"] for span in (one, *mine)}
        assert len(told) == 1


def test_publisher_that_does_not_sample_is_not_traced(
    traced: Collector, receiver: Receiver
) -> None:
    key, _subscription = make_shop(receiver)
    with serving() as server:
        publish(server, key, traceparent=INCOMING[:-2] + "00")
    deliver()
    assert traced.spans == []
    assert receiver.got[0].headers["traceparent"].endswith("-00")


def test_context_that_is_none_is_passed_over(receiver: Receiver) -> None:
    key, _subscription = make_shop(receiver)
    with serving() as server:
        publish(server, key, traceparent="00-zz")
    assert Event.objects.get().trace_parent.startswith("00-")


@pytest.mark.parametrize(
    "named", [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}]
)
def test_nothing_is_traced_unless_somebody_asks(
    named: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in telemetry.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    if named:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    telemetry.start()
    assert not tracing.is_on()


def test_receiver_that_is_away_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    key, _subscription = make_shop(receiver)
    with serving() as server:
        publish(server, key)
    deliver()
    assert len(receiver.got) == 1


def test_commands_do_not_load_the_exporter() -> None:
    code = "import config.settings, sys; sys.exit('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=places.BASE_DIR,
        env=command_environment(DATABASE_URL="postgresql://x@127.0.0.1:1/x"),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
