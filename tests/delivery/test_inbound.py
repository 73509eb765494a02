"""Inbound adapters over HTTP: who may enter, what becomes of a body, what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from catalog.words import Environment
from delivery import adapters, arriving, knowledge, publish_notes
from delivery.adapting import Call
from delivery.models import Adapter, Event, Payload
from delivery.states import SecretKind
from governance import applications
from tests import factories
from tests.delivery.publishers import Shop, make_shop

pytestmark = pytest.mark.django_db

KNOWN = {"X-Signalbox-Secret": "secret"}
ORDER = {"order": {"number": 17, "total": 59.9, "at": 1_764_000_000, "buyer": "C-1"}}
SHAPE = {
    "id_path": "order.number",
    "data_path": "{order_id: join('', ['A-', to_string(order.number)]), amount: order.total}",
}


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    knowledge.stop()


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def make(shop: Shop, **fields: object) -> Adapter:
    return factories.make_adapter(
        shop.application,
        event_type=shop.event_type,
        slug="orders",
        **{**SHAPE, **fields},  # type: ignore[arg-type]  # columns by name
    )


def send(
    body: object = ORDER,
    *,
    headers: Mapping[str, str] = KNOWN,
    url: str = "/in/orders",
    content_type: str = "application/json",
) -> tuple[int, dict[str, object]]:
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    answer = Client(enforce_csrf_checks=True).post(
        url, raw, content_type=content_type, headers=dict(headers)
    )
    return answer.status_code, json.loads(answer.content)


def data_of(event: Event) -> object:
    return json.loads(Payload.objects.get(event_id=event.pk).data or "null")


def test_body_becomes_the_event_that_the_mapping_makes(shop: Shop) -> None:
    make(shop, subject_path="order.buyer", time_path="order.at", key_path="order.buyer")
    status, answer = send()
    assert (status, answer) == (
        202,
        {"id": "17", "source": "/in/orders", "status": "accepted", "deliveries": 0},
    )
    event = Event.objects.get()
    assert (event.type, event.application_id) == (shop.event_type, shop.application.pk)
    assert (event.subject, event.partition_key) == ("C-1", "C-1")
    assert event.time == "2025-11-24T16:00:00Z"
    assert data_of(event) == {"order_id": "A-17", "amount": 59.9}


def test_event_reaches_who_wants_it(shop: Shop) -> None:
    factories.make_subscription(topic=shop.topic)
    make(shop)
    assert send()[1]["deliveries"] == 1


def test_address_that_nobody_has_and_one_that_is_off_look_alike(shop: Shop) -> None:
    adapter = make(shop)
    nowhere = send(url="/in/nowhere")
    adapters.deactivate(adapter, by=factories.make_admin(), now=timezone.now())
    assert send() == nowhere
    assert nowhere[0] == 404


def test_application_that_is_switched_off_takes_its_addresses_along(shop: Shop) -> None:
    make(shop)
    applications.change(
        shop.application, is_active=False, by=factories.make_admin(), now=timezone.now()
    )
    assert send()[0] == 404


@pytest.mark.parametrize("headers", [{}, {"X-Signalbox-Secret": "secreT"}, {"Secret": "secret"}])
def test_wrong_secret_stores_nothing(shop: Shop, headers: dict[str, str]) -> None:
    make(shop)
    status, answer = send(headers=headers)
    assert (status, answer["type"]) == (401, "urn:signalbox:problem:wrong-secret")
    assert not Event.objects.exists()


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_user_and_password_open(shop: Shop) -> None:
    make(shop, secret_kind=SecretKind.BASIC, secret_name="builder")
    assert send(headers=basic("builder:secret"))[0] == 202
    for wrong in ("builder:", "other:secret", ":secret", "secret"):
        assert send(headers=basic(wrong))[0] == 401
    assert send(headers={"Authorization": "Basic nonsense!"})[0] == 401
    assert send(headers={"Authorization": "Bearer secret"})[0] == 401


def test_token_in_the_address_opens(shop: Shop) -> None:
    make(shop, secret_kind=SecretKind.QUERY, secret_name="token")
    assert send(headers={}, url="/in/orders?token=secret")[0] == 202
    assert send(headers={}, url="/in/orders?token=else")[0] == 401
    assert send(headers=KNOWN)[0] == 401


def test_signature_of_the_body_opens_in_hex_and_in_base64(shop: Shop) -> None:
    make(shop, secret_kind=SecretKind.HMAC, secret_name="X-Signature")
    raw = json.dumps(ORDER)
    digest = hmac.new(b"secret", raw.encode(), hashlib.sha256).digest()
    for text in (digest.hex(), f"sha256={digest.hex()}", base64.b64encode(digest).decode()):
        assert send(raw, headers={"X-Signature": text})[0] == 202
    assert send(raw + " ", headers={"X-Signature": digest.hex()})[0] == 401
    assert send(raw, headers={"X-Signature": "secret"})[0] == 401
    assert send(raw, headers={})[0] == 401


def test_old_secret_opens_until_its_day_is_over(shop: Shop) -> None:
    adapter = make(shop)
    _same, new = adapters.rotate(adapter, by=factories.make_admin(), now=timezone.now())
    assert send()[0] == 202
    assert send(headers={"X-Signalbox-Secret": new})[0] == 202
    adapter.refresh_from_db()
    call = Call(headers={"x-signalbox-secret": "secret"}, query={}, body=b"")
    later = timezone.now() + timedelta(days=2)
    assert not arriving.may_enter(adapter, call, now=later)


def test_form_is_taken_like_an_object(shop: Shop) -> None:
    make(
        shop,
        id_path="number",
        data_path="{order_id: number, amount: to_number(total)}",
        subject_path="join(',', tag)",
    )
    form = [("number", "A-7"), ("total", "12.5"), ("tag", "a"), ("tag", "b")]
    status, _answer = send(urlencode(form), content_type="application/x-www-form-urlencoded")
    assert status == 202
    event = Event.objects.get()
    assert data_of(event) == {"order_id": "A-7", "amount": 12.5}
    assert event.subject == "a,b"


def test_same_id_again_is_a_duplicate_and_other_content_a_conflict(shop: Shop) -> None:
    make(shop)
    send()
    assert send()[1]["status"] == "duplicate"
    status, answer = send({"order": {**ORDER["order"], "total": 1}})
    assert (status, answer["type"]) == (409, "urn:signalbox:problem:other-content")
    assert Event.objects.count() == 1


def test_without_an_id_equal_bodies_are_one_event(shop: Shop) -> None:
    make(shop, id_path="")
    first, again = send()[1], send()[1]
    assert (first["status"], again["status"]) == ("accepted", "duplicate")
    assert first["id"] == again["id"]
    assert send({"order": {**ORDER["order"], "total": 1}})[1]["status"] == "accepted"


def test_equal_bodies_are_one_event_for_as_long_as_the_window_and_no_longer(shop: Shop) -> None:
    adapter = make(shop, id_path="", window_seconds=3600)
    adapter = Adapter.objects.select_related("event_type").get(pk=adapter.pk)
    call = Call(headers={}, query={}, body=json.dumps(ORDER).encode())
    now = timezone.now()
    first = arriving.take(adapter, call, now=now)[0]
    # Wherever in its hour the first one came, one of these lies behind the end of that hour.
    later = [arriving.take(adapter, call, now=now + timedelta(minutes=m))[0] for m in (30, 59)]
    assert [one.id for one in later] == [first.id, first.id]
    assert not arriving.take(adapter, call, now=now + timedelta(minutes=121))[0].is_duplicate


def test_mended_mapping_takes_the_same_body_anew(shop: Shop) -> None:
    adapter = make(shop, id_path="")
    send()
    adapters.change(
        adapter,
        by=factories.make_admin(),
        now=timezone.now(),
        data_path="{order_id: 'A-1', amount: order.total}",
    )
    assert send()[1]["status"] == "accepted"


def test_mapping_that_does_not_fit_names_each_expression_and_why(shop: Shop) -> None:
    make(shop, id_path="order.key", data_path="sum(order)")
    status, answer = send()
    assert (status, answer["type"]) == (422, "urn:signalbox:problem:mapping")
    errors = answer["errors"]
    assert isinstance(errors, list)
    assert [error["pointer"] for error in errors] == ["/id", "/data"]
    assert "order.key" in errors[0]["message"]
    assert "finds nothing" in errors[0]["message"]
    assert "sum(order)" in errors[1]["message"]
    assert not Event.objects.exists()


def test_attribute_that_cloudevents_forbids_names_its_expression(shop: Shop) -> None:
    make(shop, source_path="order.buyer", time_path="order.buyer")
    status, answer = send({"order": {**ORDER["order"], "buyer": "not a uri"}})
    assert status == 422
    assert "order.buyer" in str(answer["detail"])


@pytest.mark.parametrize("value", [True, [1], {"a": 1}])
def test_attribute_that_is_no_text_is_refused(shop: Shop, value: object) -> None:
    make(shop)
    assert send({"order": {**ORDER["order"], "number": value}})[0] == 422


def test_contract_is_asked_as_for_every_publisher(shop: Shop) -> None:
    make(shop, data_path="{order_id: order.number}")
    status, answer = send()
    assert (status, answer["type"]) == (422, "urn:signalbox:problem:contract")
    assert answer["errors"]
    _forbidden, broken = publish_notes.refused.take()
    assert list(broken.values()) == [1]


def test_application_without_a_grant_may_not_publish_here_either(shop: Shop) -> None:
    other = factories.make_application()
    factories.make_adapter(other, event_type=shop.event_type, slug="orders", **SHAPE)
    status, answer = send()
    assert (status, answer["type"]) == (403, "urn:signalbox:problem:no-grant")
    forbidden, broken = publish_notes.refused.take()
    assert (list(forbidden.values()), broken) == ([1], {})


def test_environment_is_the_adapters(shop: Shop) -> None:
    make(shop, environment=Environment.STAGING)
    assert send()[0] == 202
    assert Event.objects.get().environment == Environment.STAGING


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ('{"a": 1, "a": 2}', "application/json", 400),
        (b"a=%00", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        ("&".join("a=1" for _ in range(1001)), "application/x-www-form-urlencoded", 413),
        ("{}", "application/json; charset=utf-16", 415),
        ("<a/>", "application/xml", 415),
        (b" " * (1024 * 1024 + 1), "application/json", 413),
    ],
)
def test_body_that_nobody_can_read_is_refused(
    shop: Shop, body: bytes | str, content_type: str, status: int
) -> None:
    make(shop)
    found, answer = send(body, content_type=content_type)
    assert (found, answer["status"]) == (status, status)


def test_only_posts_are_taken(shop: Shop) -> None:
    make(shop)
    assert Client().get("/in/orders").status_code == 405


def test_deprecated_version_is_said_as_on_the_publish_path(shop: Shop) -> None:
    event_type = factories.make_event_type(topic=shop.topic)
    factories.make_version(
        event_type=event_type, live_in=[], deprecated_in=[Environment.PRODUCTION]
    )
    factories.make_adapter(shop.application, event_type=event_type, slug="orders", **SHAPE)
    answer = Client().post("/in/orders", ORDER, content_type="application/json", headers=KNOWN)
    assert answer.status_code == 202
    assert answer["Deprecation"].startswith("@")
