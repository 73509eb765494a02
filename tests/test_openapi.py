"""The OpenAPI document says what the doors do: it is valid and complete, and answers keep to it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr
from functools import cache
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from drf_spectacular.drainage import reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from schemathesis import Case, openapi, serializer

from delivery.states import DeliveryStatus
from tests import factories
from tests.asking import PROBLEM, Asker, make_machine, person

pytestmark = pytest.mark.django_db

serializer.alias("application/zip", "application/octet-stream")  # an archive is bytes

METHODS = ("get", "post", "patch", "delete")
TYPE = "com.acme.sales.order.created"


def generate() -> dict[str, Any]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]  # the library has no types
    made = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    plain: dict[str, Any] = json.loads(json.dumps(made))
    return plain


@cache
def document() -> dict[str, Any]:
    return generate()


@cache
def registry() -> Registry[Any]:
    resource = DRAFT202012.create_resource(document())
    made: Registry[Any] = Registry().with_resource("urn:api", resource)
    return made


def operations() -> Iterator[tuple[str, str]]:
    for path, methods in document()["paths"].items():
        # The publish path is no view of Django's; `tests/delivery/test_publish_http.py` has it.
        yield from (
            (method, path)
            for method in METHODS
            if method in methods and (method, path) != ("post", "/api/v1/events")
        )


def test_the_document_is_valid_and_nothing_in_it_was_guessed() -> None:
    reset_generator_stats()
    told = io.StringIO()
    with redirect_stderr(told):
        made = generate()
    validate_schema(made)  # type: ignore[no-untyped-call]  # the library has no types
    assert made["openapi"].startswith("3.1")
    assert told.getvalue() == ""


def test_every_door_is_in_the_document() -> None:
    routes = {
        str(route.pattern)
        for one in get_resolver().url_patterns
        if str(one.pattern) == "api/v1/"
        for route in getattr(one, "url_patterns", [])
        if isinstance(route, URLPattern)
    }
    assert len(routes) == len(document()["paths"])


def test_every_operation_says_how_it_fails() -> None:
    for method, path in operations():
        answer = document()["paths"][path][method]["responses"]["default"]
        assert list(answer["content"]) == [PROBLEM]


def test_schema_and_docs_are_served_without_inline_parts(client: Client) -> None:
    served = client.get("/api/schema")
    assert served.status_code == 200
    assert b"openapi: 3.1" in served.content
    docs = client.get("/api/docs")
    assert docs.status_code == 200
    assert "script-src 'self'" in docs["Content-Security-Policy"]
    text = docs.content.decode()
    assert 'data-schema-url="/api/schema"' in text
    assert "<style" not in text
    assert "//cdn" not in text
    assert all("src=" in tag for tag in text.split("<script")[1:])


# Answers keep to the document


class Shop:
    """One of each thing that an address can name, who owns it all, and an admin."""

    def __init__(self) -> None:
        topic = factories.make_topic("sales.orders")
        event_type = factories.make_event_type(TYPE, topic=topic)
        factories.make_version("1.0.0", event_type=event_type)
        machine = make_machine()
        grant = factories.make_grant(machine.application, topic=topic)
        subscription = factories.make_subscription(machine.application, topic=topic)
        event = factories.make_event(event_type=event_type, application=machine.application)
        delivery = factories.make_delivery(
            event, subscription=subscription, status=DeliveryStatus.DEAD
        )
        self.askers: list[Asker] = [person(factories.make_admin()), machine]
        self.names: Mapping[str, object] = {
            "access-requests": factories.make_access_request(topic=topic).pk,
            "applications": machine.application.slug,
            "change-requests": factories.make_change_request(topic=topic).pk,
            "conversions": factories.make_translation(event_type).pk,
            "deliveries": delivery.pk,
            "domains": topic.domain.slug,
            "event-types": TYPE,
            "events": event.pk,
            "grants": grant.pk,
            "hooks": subscription.pk,
            "runbooks": factories.make_runbook(subscription).pk,
            "replays": factories.make_replay(subscription).pk,
            "routing-rules": factories.make_rule(topic).pk,
            "subscriptions": subscription.pk,
            "teams": topic.owner.slug,
            "topics": topic.name,
        }

    def address(self, path: str) -> str:
        """Return a documented path with names that there are."""
        noun = path.split("/")[3]
        for name in ("{id}", "{name}", "{slug}"):
            path = path.replace(name, quote(str(self.names.get(noun, "")), safe=""))
        return path.replace("{version}", "1.0.0")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def assert_kept(method: str, path: str, answer: Any) -> None:
    """Hold an answer against what the document says of the operation."""
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if answer.status_code >= 400:
        assert answer.status_code < 500, answer.content
        assert kind == PROBLEM
        place = "#/components/schemas/Problem"
    elif answer.status_code == 204 or answer.streaming:
        return
    else:
        responses = document()["paths"][path][method]["responses"]
        assert kind in responses[str(answer.status_code)]["content"]
        steps = ["paths", path, method, "responses", str(answer.status_code), "content", kind]
        escaped = [quote(step.replace("~", "~0").replace("/", "~1")) for step in steps]
        place = "#/" + "/".join([*escaped, "schema"])
        if not kind.endswith("json"):  # YAML, Atom, archives: the schema says no more of them
            return
    check = Draft202012Validator({"$ref": f"urn:api{place}"}, registry=registry())
    faults = [f"{error.json_path}: {error.message}" for error in check.iter_errors(answer.json())]
    assert not faults, f"{method} {path}: {faults}"


def test_what_there_is_is_answered_as_documented(shop: Shop) -> None:
    for method, path in operations():
        if method != "get" or path.endswith(("/stream", "/sample")):
            continue
        for asker in shop.askers:
            answer = asker.follow(shop.address(path))
            assert_kept(method, path, answer)
        if "/subscriptions/{id}/events" not in path:  # a feed is its machine's alone
            assert shop.askers[0].follow(shop.address(path)).status_code == 200, path


def sender(shop: Shop, method: str, path: str) -> Callable[[Case[Any]], None]:
    """Return what sends a made-up request, as each asker in turn; what it does is taken back."""
    turns = cycle(shop.askers)

    def send(case: Case[Any]) -> None:
        is_archive = isinstance(case.body, bytes)
        body = json.dumps(case.body) if isinstance(case.body, dict | list) else ""
        asker = next(turns)
        with transaction.atomic():
            answer = asker.client.generic(
                method.upper(),
                shop.address(path),
                case.body if is_archive else body,
                "application/zip" if is_archive else "application/json",
                query_params=dict(case.query or {}),
                headers=asker.headers,
            )
            assert_kept(method, path, answer)
            transaction.set_rollback(True)

    return send


def test_whatever_is_sent_is_answered_and_never_breaks_a_door(shop: Shop) -> None:
    schema = openapi.from_dict(document())
    bounded = settings(
        max_examples=2,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for method, path in operations():
        made_up = given(schema[path][method].as_strategy())
        bounded(made_up(sender(shop, method, path)))()
