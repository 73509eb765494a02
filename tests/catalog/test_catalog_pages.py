"""The catalog in the browser: found in one's own words, shown as far as one may see it."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog.models import Application, EventType, Topic
from governance import grants, roles
from governance.models import ApiKey
from tests import factories
from tests.visitors import must_sign_in, signed_in, statuses, text_of

pytestmark = pytest.mark.django_db
LIST = reverse("catalog:event-type-list")
APPLICATIONS = reverse("catalog:application-list")
MOST_QUERIES = 40
TABS = ("detail", "versions", "events", "changes", "developers")


@pytest.fixture
def reader() -> Client:
    return signed_in(factories.make_person(team=factories.make_team("readers")))


def make_type(
    name: str = "com.acme.sales.order.created", *, topic: Topic | None = None, title: str = "Order"
) -> EventType:
    event_type = factories.make_event_type(name, topic=topic, title=title)
    factories.make_version(event_type=event_type)
    return event_type


def pages_of(event_type: EventType) -> list[str]:
    return [reverse(f"catalog:event-type-{tab}", args=[event_type.name]) for tab in TABS]


# Event types


def test_catalog_is_for_people_who_are_signed_in() -> None:
    event_type = make_type()
    topic = event_type.topic
    for page in (
        LIST,
        *pages_of(event_type),
        reverse("catalog:topic-detail", args=[topic.name]),
        reverse("catalog:domain-detail", args=[topic.domain.slug]),
        APPLICATIONS,
    ):
        assert must_sign_in(page)


def test_everyone_reads_what_is_not_restricted(
    reader: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    event_type = make_type(title="Order placed")
    topic = event_type.topic
    pages = [
        LIST,
        *pages_of(event_type),
        reverse("catalog:topic-detail", args=[topic.name]),
        reverse("catalog:domain-detail", args=[topic.domain.slug]),
    ]
    for page in pages:
        with django_assert_max_num_queries(MOST_QUERIES):
            answer = reader.get(page)
        assert answer.status_code == 200, page
        assert "Order placed" in text_of(answer), page


def test_restricted_topic_is_as_if_it_did_not_exist(reader: Client) -> None:
    hidden = make_type("com.acme.secret.thing", topic=factories.make_topic(is_restricted=True))
    topic = hidden.topic
    topic_page = reverse("catalog:topic-detail", args=[topic.name])
    pages = [*pages_of(hidden), topic_page]
    assert set(statuses(reader, pages).values()) == {404}
    domain = reverse("catalog:domain-detail", args=[topic.domain.slug])
    for page in (LIST, domain, f"{LIST}?q=secret"):
        assert hidden.name not in text_of(reader.get(page))
        assert topic_page not in text_of(reader.get(page))
    reviewer = signed_in(factories.make_person(role=roles.REVIEWER))
    assert set(statuses(reviewer, pages).values()) == {200}


def test_granted_team_sees_its_restricted_topic(reader: Client) -> None:
    hidden = make_type("com.acme.secret.thing", topic=factories.make_topic(is_restricted=True))
    factories.make_grant(factories.make_team("readers"), topic=hidden.topic)
    assert reader.get(pages_of(hidden)[0]).status_code == 200


def test_types_are_found_in_ones_own_words(reader: Client) -> None:
    make_type("com.acme.sales.order.created", title="Order placed")
    make_type("com.acme.stock.level.changed", title="Stock adjusted")
    page = text_of(reader.get(LIST, {"q": "order"}))
    assert "Order placed" in page
    assert "Stock adjusted" not in page
    assert "No event matches" in text_of(reader.get(LIST, {"q": "walrus"}))
    piece = text_of(reader.get(LIST, {"q": "order"}, headers={"HX-Request": "true"}))
    assert "<html" not in piece
    assert "Order placed" in piece


def test_facets_narrow_the_list(reader: Client) -> None:
    sold, stored = make_type("com.acme.a.b"), make_type("com.acme.c.d")
    page = text_of(reader.get(LIST, {"domain": sold.topic.domain.slug}))
    assert sold.name in page
    assert stored.name not in page
    assert reader.get(LIST, {"sort": "newest", "lifecycle": "live"}).status_code == 200


def test_fields_are_told_in_words_and_personal_ones_are_marked(reader: Client) -> None:
    page = text_of(reader.get(pages_of(make_type())[0]))
    assert "Order number" in page
    assert "personal" in page


def test_version_that_ends_is_announced(reader: Client) -> None:
    event_type = make_type()
    factories.make_version(
        "0.9.0",
        event_type=event_type,
        live_in=(),
        deprecated_in=("production",),
        sunset_at=timezone.now() + timedelta(days=30, hours=1),
    )
    assert "Version 0.9.0 ends on" in text_of(reader.get(pages_of(event_type)[0]))


def test_two_versions_are_compared(reader: Client) -> None:
    event_type = make_type()
    wider = {**factories.SCHEMA, "properties": {"gift_note": {"type": "string"}}}
    factories.make_version("1.1.0", event_type=event_type, document=wider)
    page = reader.get(pages_of(event_type)[1], {"old": "1.0.0", "new": "1.1.0"})
    assert (page.context["old"].version, page.context["new"].version) == ("1.0.0", "1.1.0")
    assert "gift_note" in text_of(page)
    assert reader.get(pages_of(event_type)[1], {"old": "9.9.9"}).status_code == 200


def test_latest_events_are_those_that_one_may_see(reader: Client) -> None:
    event_type = make_type()
    factories.make_event(event_type=event_type)
    mine = factories.make_event(
        event_type=event_type,
        application=factories.make_application(team=factories.make_team("readers")),
    )
    page = text_of(reader.get(pages_of(event_type)[2]))
    assert mine.event_id in page
    assert page.count('<th scope="row">') == 1
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    assert text_of(support.get(pages_of(event_type)[2])).count('<th scope="row">') == 2


def test_sample_hides_personal_fields_from_those_who_may_not_see_them() -> None:
    event_type = make_type()
    factories.make_event(event_type=event_type, data={**factories.SAMPLE, "email": "eve@x.org"})
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    assert "eve@x.org" not in text_of(support.get(pages_of(event_type)[0]))
    owner = signed_in(factories.make_person(team=event_type.topic.owner))
    assert "eve@x.org" in text_of(owner.get(pages_of(event_type)[0]))


def test_developers_can_paste_a_command(reader: Client) -> None:
    page = reader.get(pages_of(make_type())[4])
    command = page.context["publish_command"]
    assert "ce-type: com.acme.sales.order.created" in command
    assert json.loads(command.rsplit("-d '", 1)[1].removesuffix("'")) == factories.SAMPLE


# Applications


def page_of(application: Application) -> str:
    return reverse("catalog:application-detail", args=[application.slug])


def test_application_is_public_once_it_has_a_grant(reader: Client) -> None:
    hidden, known = factories.make_application("hidden"), factories.make_application("known")
    grant = factories.make_grant(known)
    assert statuses(reader, [page_of(hidden), page_of(known)]) == {
        page_of(hidden): 404,
        page_of(known): 200,
    }
    assert page_of(hidden) not in text_of(reader.get(APPLICATIONS))
    grants.revoke(grant, by=factories.make_admin(), reason="Over.", now=timezone.now())
    assert reader.get(page_of(known)).status_code == 404


def test_keys_are_shown_to_those_who_may_see_them() -> None:
    application = factories.make_application()
    key, _plain = factories.make_key(application)
    factories.make_grant(application)
    owner = signed_in(factories.make_person(team=application.team))
    assert key.prefix in text_of(owner.get(page_of(application)))
    stranger = signed_in(factories.make_person("charlie"))
    assert key.prefix not in text_of(stranger.get(page_of(application)))


def test_own_applications_come_first_at_a_fixed_cost(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    team = factories.make_team("sales")
    for _ in range(5):
        factories.make_grant(factories.make_application())
    mine = factories.make_application("zz-mine", team=team)
    alice = signed_in(factories.make_person("alice", team=team))
    with django_assert_max_num_queries(MOST_QUERIES):
        page = alice.get(APPLICATIONS).context["page"]
    assert page.object_list[0] == mine
    assert len(page.object_list) == 6


def test_application_is_registered_and_changed_by_its_team() -> None:
    team = factories.make_team("sales")
    factories.make_region("eu")
    alice = signed_in(factories.make_person("alice", team=team))
    form = {
        "name": "Order sheet", "kind": "n8n", "team": str(team.pk), "region": "eu",
        "description": "Orders for the accountants.",
    }  # fmt: skip
    answer = alice.post(reverse("catalog:application-new"), form)
    made = Application.objects.get()
    assert answer["Location"] == page_of(made)
    assert made.team == team
    edit = reverse("catalog:application-edit", args=[made.slug])
    assert alice.post(edit, {**form, "name": "Order book"}).status_code == 302
    made.refresh_from_db()
    assert made.name == "Order book"
    refused = alice.post(reverse("catalog:application-new"), {**form, "name": ""})
    assert refused.status_code == 200
    assert refused.context["form"].errors


def test_nobody_registers_for_another_team_or_changes_its_application(reader: Client) -> None:
    factories.make_region("eu")
    application = factories.make_application()
    factories.make_grant(application)
    form = {
        "name": "Spy", "kind": "n8n", "team": str(application.team.pk), "region": "eu",
        "description": "",
    }  # fmt: skip
    assert reader.post(reverse("catalog:application-new"), form).status_code == 200
    assert not Application.objects.filter(name="Spy").exists()
    for name in ("application-edit", "key-new"):
        page = reverse(f"catalog:{name}", args=[application.slug])
        assert reader.get(page).status_code == 403
        assert reader.post(page, form).status_code == 403


def test_key_is_shown_once_and_revoked_with_a_reason() -> None:
    application = factories.make_application()
    alice = signed_in(factories.make_person("alice", team=application.team))
    page = reverse("catalog:key-new", args=[application.slug])
    form = {"environment": "staging", "label": "n8n", "once": str(uuid4())}
    made = text_of(alice.post(page, form))
    assert "sbx_test_" in made
    key = ApiKey.objects.get()
    # Reloading that page sends the form again, which must not make a second key.
    again = text_of(alice.post(page, form, follow=True))
    assert "made and shown already" in again
    assert ApiKey.objects.count() == 1
    revoke = reverse("catalog:key-revoke", args=[application.slug, key.pk])
    assert alice.get(revoke).status_code == 405
    assert alice.post(revoke, {"reason": "Left on a desk."}).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert alice.post(revoke, {"reason": "Again."}).status_code == 409


def test_support_sees_a_key_and_may_not_revoke_it() -> None:
    application = factories.make_application()
    key, _plain = factories.make_key(application)
    support = signed_in(factories.make_person(role=roles.SUPPORT))
    revoke = reverse("catalog:key-revoke", args=[application.slug, key.pk])
    assert support.post(revoke, {"reason": "x"}).status_code == 403
