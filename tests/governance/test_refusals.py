"""Refusals are counted in a transaction of their own, even when the refused one rolls back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from governance import access, middleware, refusals, topics, verification
from governance.actions import Action
from governance.models import LedgerEntry, Refusal
from tests import factories
from tests.governance.conftest import People

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 10, 15, 20, tzinfo=UTC)


def entries() -> int:
    return LedgerEntry.objects.filter(action=refusals.LEDGER_ACTION).count()


def test_refusals_of_a_minute_are_one_row_with_a_count(people: People) -> None:
    for second in (0, 10, 39):
        refusals.note(people.charlie, "topic:change", "orders", now=NOW + timedelta(seconds=second))
    assert [row.count for row in Refusal.objects.all()] == [3]
    refusals.note(people.charlie, "topic:change", "orders", now=NOW + timedelta(seconds=40))
    assert sorted(row.count for row in Refusal.objects.all()) == [1, 3]


def test_each_hour_has_one_ledger_entry_of_a_kind(people: People) -> None:
    for minutes in (0, 5, 44):
        refusals.note(
            people.charlie, "topic:change", "orders", now=NOW + timedelta(minutes=minutes)
        )
    assert entries() == 1
    refusals.note(people.charlie, "topic:change", "orders", now=NOW + timedelta(minutes=45))
    assert entries() == 2
    refusals.note(people.bob, "topic:change", "orders", now=NOW)
    refusals.note(people.charlie, "topic:view", "orders", now=NOW)
    refusals.note(people.charlie, "topic:change", "stock", now=NOW)
    refusals.note(None, "topic:change", "stock", now=NOW)
    assert entries() == 6
    assert verification.verify() is None


def test_refused_verb_is_noted_after_its_request(people: People) -> None:
    topic = factories.make_topic(owner=people.team)

    def view(request: HttpRequest) -> HttpResponse:
        try:
            topics.change(topic, title="Mine now", by=people.charlie, now=NOW)
        except PermissionDenied:
            return HttpResponse(status=403)
        return HttpResponse()

    response = middleware.note_refusals(view)(RequestFactory().get("/"))
    assert response.status_code == 403
    row = Refusal.objects.get()
    assert (row.who_name, row.action, row.count) == ("Charlie", Action.TOPIC_CHANGE, 1)
    assert str(topic.pk) in row.subject
    entry = LedgerEntry.objects.get(action=refusals.LEDGER_ACTION)
    assert entry.actor_id == people.charlie.pk
    assert f"catalog.topic:{topic.pk}" in entry.related


def test_several_refusals_of_one_request_count_once_each(people: People) -> None:
    topic = factories.make_topic()

    def view(request: HttpRequest) -> HttpResponse:
        for action in (Action.TOPIC_CHANGE, Action.TOPIC_CHANGE, Action.GRANT_GIVE):
            with pytest.raises(PermissionDenied):
                access.require(people.charlie, action, topic)
        return HttpResponse(status=403)

    middleware.note_refusals(view)(RequestFactory().get("/"))
    assert sorted(Refusal.objects.values_list("action", "count")) == [
        (Action.GRANT_GIVE, 1),
        (Action.TOPIC_CHANGE, 1),
    ]


def test_what_is_allowed_notes_nothing(people: People) -> None:
    with refusals.collecting() as found:
        access.require(people.admin, Action.GRANT_GIVE, factories.make_topic())
    assert found == []


def test_every_web_request_is_watched() -> None:
    assert "governance.middleware.note_refusals" in settings.MIDDLEWARE


def test_refusal_of_a_page_is_noted(people: People, client: Client) -> None:
    client.force_login(people.charlie)
    response = client.get(reverse("governance:grant-new"))
    assert response.status_code == 403
    assert Refusal.objects.get().action == Action.GRANT_GIVE
