"""Every model has its place in the Django admin, and no page of it costs more as tables grow."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog import history
from catalog.guarded_admin import GuardedAdmin, SnapshotAdmin
from delivery.models import Attempt, Event, EventIdentity
from governance import roles
from governance.models import LedgerEntry, LedgerHead
from tests.administration import (
    OURS,
    list_url,
    make_one_of_each,
    make_staff,
    model_admins,
    page_url,
    sign_in,
)
from tests.factories import make_person

pytestmark = pytest.mark.django_db

MOST_QUERIES = 30  # of a page, the session's and the viewer's included
ADMINS = model_admins()
MODELS = [model for model in apps.get_models() if model._meta.app_label in OURS]
NO_PAGE = {EventIdentity}  # its key is 16 bytes: a list only


@pytest.fixture
def staff(client: Client) -> Client:
    return sign_in(client, make_staff())


def statuses(client: Client, urls: dict[str, str]) -> dict[str, int]:
    return {name: client.get(url).status_code for name, url in urls.items()}


def lists() -> dict[str, str]:
    return {model._meta.label: list_url(model) for model in ADMINS}


def pages() -> dict[str, str]:
    rows = {model: model._default_manager.first() for model in ADMINS if model not in NO_PAGE}
    assert [model for model, row in rows.items() if row is None] == []
    return {model._meta.label: page_url(row) for model, row in rows.items() if row is not None}


def test_every_model_has_an_admin() -> None:
    assert [model._meta.label for model in MODELS if not admin.site.is_registered(model)] == []


def test_every_admin_is_guarded() -> None:
    assert [model for model, one in ADMINS.items() if not isinstance(one, GuardedAdmin)] == []


def test_every_history_is_shown() -> None:
    tracked = [model for model in MODELS if history.is_tracked(model)]
    assert tracked
    for model in tracked:
        rows = model.history.model  # type: ignore[attr-defined]  # `is_tracked` says so
        assert isinstance(ADMINS[rows], SnapshotAdmin)


def test_every_list_can_be_searched_or_is_short() -> None:
    short = {"delivery.RollupMark", "governance.LedgerHead"}
    silent = [
        model._meta.label
        for model, one in ADMINS.items()
        if not (one.search_fields or getattr(one, "found_by", ()))
        and model._meta.label not in short
    ]
    assert silent == []


@pytest.mark.parametrize("model", [LedgerEntry, LedgerHead, Attempt, Event])
def test_records_are_only_read(staff: Client, model: type[models.Model]) -> None:
    make_one_of_each()
    row = model._default_manager.first()
    assert row is not None
    assert staff.post(page_url(row), {}).status_code == 403
    assert staff.post(page_url(row, "delete"), {"post": "yes"}).status_code == 403
    assert staff.get(list_url(model) + "add/").status_code == 403


def test_nothing_is_deleted(staff: Client) -> None:
    make_one_of_each()
    refused = {
        label: staff.post(url.replace("/change/", "/delete/"), {"post": "yes"}).status_code
        for label, url in pages().items()
    }
    assert set(refused.values()) == {403}


def test_every_page_opens_in_bounded_queries(staff: Client) -> None:
    make_one_of_each()
    _open_all(staff, pages())


def _open_all(client: Client, urls: dict[str, str]) -> dict[str, int]:
    """Open each page; return how many queries each took."""
    client.get(reverse("admin:index"))
    found: dict[str, int] = {}
    wrong: dict[str, tuple[int, int]] = {}
    for name, url in urls.items():
        with CaptureQueriesContext(connection) as queries:
            status = client.get(url).status_code
        found[name] = len(queries)
        if status != 200 or found[name] > MOST_QUERIES:
            wrong[name] = (status, found[name])
    assert wrong == {}
    return found


def test_lists_open_and_cost_the_same_with_more_rows(staff: Client) -> None:
    counts = []
    for _round in range(2):
        make_one_of_each()
        counts.append(_open_all(staff, lists()))
    # The second round has more of everything; content types and permissions are cached by then.
    more = {name: (counts[0][name], n) for name, n in counts[1].items() if n > counts[0][name]}
    assert more == {}


def test_every_search_answers(staff: Client) -> None:
    make_one_of_each()
    terms = ("CR-1", "01890000-0000-7000-8000-000000000000")
    wrong = {
        f"{name}?q={term}": status
        for term in terms
        for name, status in statuses(
            staff, {name: f"{url}?q={term}" for name, url in lists().items()}
        ).items()
        if status != 200
    }
    assert wrong == {}


def test_every_history_page_opens(staff: Client) -> None:
    make_one_of_each()
    tracked = [model for model in MODELS if history.is_tracked(model)]
    urls = {
        model._meta.label: page_url(row, "history")
        for model in tracked
        if (row := model._default_manager.first()) is not None
    }
    assert set(statuses(staff, urls).values()) == {200}


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    make_one_of_each()
    assert set(statuses(client, {**lists(), **pages()}).values()) == {302}
    response = client.get(reverse("admin:login"), {"next": "/admin/catalog/"})
    assert response["Location"] == reverse("governance:sign-in") + "?next=/admin/catalog/"


def test_people_who_are_not_staff_stay_out(client: Client) -> None:
    make_one_of_each()
    sign_in(client, make_person(role=roles.REVIEWER))
    assert set(statuses(client, {**lists(), **pages()}).values()) == {302}
    assert client.get(reverse("admin:login")).status_code == 403


def test_support_sees_failures_and_not_people(client: Client) -> None:
    make_one_of_each()
    sign_in(client, make_staff(roles.SUPPORT))
    found = statuses(client, lists())
    assert found["delivery.DeadLetter"] == 200
    assert found["catalog.User"] == 403
    assert found["catalog.HistoricalUser"] == 403


def test_index_names_the_apps_and_their_models(staff: Client) -> None:
    page = staff.get(reverse("admin:index")).content.decode()
    assert "<h1" in page
    for word in ("Signalbox", "Catalog", "Governance", "Delivery", "History", "Dead letters"):
        assert word in page
