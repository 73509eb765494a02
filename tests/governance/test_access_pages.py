"""Access in the browser: who may do what, asking for it, deciding, revoking; and the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from governance import roles
from governance.models import AccessRequest, Grant, LedgerEntry
from tests import factories
from tests.visitors import must_sign_in, signed_in, statuses, text_of

pytestmark = pytest.mark.django_db
MATRIX = reverse("governance:access")
REQUESTS = reverse("governance:access-request-list")
NEW_REQUEST = reverse("governance:access-request-new")
NEW_GRANT = reverse("governance:grant-new")
LEDGER = reverse("governance:ledger")
VERIFY = reverse("governance:ledger-verify")
MOST_QUERIES = 40


@pytest.fixture
def admin() -> Client:
    return signed_in(factories.make_admin())


@pytest.fixture
def stranger() -> Client:
    return signed_in(factories.make_person("charlie", team=factories.make_team("strangers")))


def page_of(asked: AccessRequest) -> str:
    return reverse("governance:access-request-detail", args=[asked.number])


def revoke(client: Client, grant: Grant, reason: str = "Over.") -> int:
    page = reverse("governance:grant-revoke", args=[grant.number])
    return client.post(page, {"reason": reason}).status_code


def test_access_is_for_people_who_are_signed_in() -> None:
    asked = factories.make_access_request()
    for page in (
        MATRIX, REQUESTS, NEW_REQUEST, NEW_GRANT, LEDGER, VERIFY, page_of(asked),
        reverse("governance:access-ending"), reverse("governance:access-history"),
    ):  # fmt: skip
        assert must_sign_in(page), page


# The matrix


def test_matrix_shows_every_grant_to_the_admin_at_a_fixed_cost(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [factories.make_grant() for _ in range(6)]
    with django_assert_max_num_queries(MOST_QUERIES):
        page = text_of(admin.get(MATRIX))
    for grant in made:
        assert grant.topic.name in page
        assert f"?grant={grant.number}" in page


def test_matrix_shows_a_citizen_only_what_is_theirs(stranger: Client) -> None:
    other = factories.make_grant()
    mine = factories.make_grant(factories.make_application(team=factories.make_team("strangers")))
    page = text_of(stranger.get(MATRIX))
    assert f"grant={mine.number}" in page
    assert f"grant={other.number}" not in page
    assert stranger.get(MATRIX, {"grant": other.number}).context["grant"] is None


def test_chosen_grant_tells_its_story_beside_the_matrix(admin: Client) -> None:
    grant = factories.make_grant()
    answer = admin.get(MATRIX, {"grant": grant.number})
    assert answer.context["grant"] == grant
    assert "A test needs it." in text_of(answer)
    assert "Revoke" in text_of(answer)
    assert admin.get(MATRIX, {"grant": "x"}).status_code == 200


def test_matrix_is_searched_and_kept_to_its_environment(admin: Client) -> None:
    grant = factories.make_grant(topic=factories.make_topic("walrus.orders"))
    factories.make_grant(topic=factories.make_topic("other.orders"))
    page = text_of(admin.get(MATRIX, {"q": "walrus"}))
    assert "walrus.orders" in page
    assert "other.orders" not in page
    staging = text_of(admin.get(MATRIX, {"environment": "staging"}))
    assert f"grant={grant.number}" not in staging


def test_lists_show_what_ends_and_what_was(admin: Client) -> None:
    soon = factories.make_grant(until=timezone.now() + timedelta(days=5))
    late = factories.make_grant()
    ending = text_of(admin.get(reverse("governance:access-ending")))
    assert soon.topic.name in ending
    assert late.topic.name not in ending
    revoke(admin, late)
    assert late.topic.name in text_of(admin.get(reverse("governance:access-history")))


# Giving and taking


def test_grant_is_given_from_the_page(admin: Client) -> None:
    application, topic = factories.make_application(), factories.make_topic()
    form = {
        "application": str(application.pk), "topic": str(topic.pk), "verb": "publish",
        "environment": "production", "until": "", "reason": "The shop goes live.",
    }  # fmt: skip
    answer = admin.post(NEW_GRANT, form)
    grant = Grant.objects.get()
    assert answer["Location"] == f"{MATRIX}?grant={grant.number}"
    assert (grant.application, grant.verb, grant.reason) == (
        application, "publish", "The shop goes live.",
    )  # fmt: skip
    again = admin.post(NEW_GRANT, form)
    assert again.status_code in (200, 409)  # it is in force already
    assert Grant.objects.count() == 1
    assert admin.post(NEW_GRANT, {**form, "reason": ""}).context["form"].errors


def test_day_that_is_over_is_no_end(admin: Client) -> None:
    form = {
        "application": str(factories.make_application().pk),
        "topic": str(factories.make_topic().pk),
        "verb": "publish", "environment": "production", "until": "2020-01-01", "reason": "x",
    }  # fmt: skip
    for until in ("2020-01-01", "9999-12-31", "0001-01-01", "31.12.2099x"):
        refused = admin.post(NEW_GRANT, {**form, "until": until})
        assert "until" in refused.context["form"].errors


def test_grant_is_revoked_with_a_reason_and_only_once(admin: Client) -> None:
    grant = factories.make_grant()
    assert revoke(admin, grant, "") == 302
    grant.refresh_from_db()
    assert grant.state == "in_force"
    assert revoke(admin, grant, "The contract ended.") == 302
    grant.refresh_from_db()
    assert grant.state == "revoked"
    assert revoke(admin, grant) == 409
    assert admin.get(reverse("governance:grant-revoke", args=[grant.number])).status_code == 405


def test_citizen_gives_and_takes_nothing(stranger: Client) -> None:
    theirs = factories.make_grant()
    mine = factories.make_grant(factories.make_application(team=factories.make_team("strangers")))
    assert stranger.get(NEW_GRANT).status_code == 403
    assert revoke(stranger, theirs) == 404
    assert revoke(stranger, mine) == 403


# Requests


def test_permission_is_asked_for_and_granted() -> None:
    team = factories.make_team("sales")
    application = factories.make_application("order-sheet", team=team)
    topic = factories.make_topic("stock.levels")
    alice = signed_in(factories.make_person("alice", team=team))
    start = alice.get(NEW_REQUEST, {"topic": "stock.levels", "application": "order-sheet"})
    assert start.context["form"].initial["topic"] == topic
    answer = alice.post(
        NEW_REQUEST,
        {
            "application": str(application.pk),
            "topic": str(topic.pk),
            "verb": "subscribe",
            "environment": "production",
            "until": "",
            "reason": "Orders go to a sheet.",
        },
    )
    asked = AccessRequest.objects.get()
    assert answer["Location"] == page_of(asked)
    assert "Orders go to a sheet." in text_of(alice.get(page_of(asked)))
    admin = signed_in(factories.make_admin())
    assert page_of(asked) in text_of(admin.get(REQUESTS))
    assert alice.post(page_of(asked), {"decision": "approve", "note": ""}).status_code == 403
    assert admin.post(page_of(asked), {"decision": "approve", "note": "Yes."}).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "approved"
    assert Grant.objects.get().topic == topic
    assert admin.post(page_of(asked), {"decision": "reject", "note": "No."}).status_code == 409


def test_refusal_needs_a_note(admin: Client) -> None:
    asked = factories.make_access_request()
    assert admin.post(page_of(asked), {"decision": "reject", "note": ""}).status_code == 200
    admin.post(page_of(asked), {"decision": "reject", "note": "Use the report."})
    asked.refresh_from_db()
    assert asked.state == "rejected"


def test_request_is_withdrawn_by_its_team_and_hidden_from_others(stranger: Client) -> None:
    asked = factories.make_access_request()
    assert stranger.get(page_of(asked)).status_code == 404
    assert page_of(asked) not in text_of(stranger.get(REQUESTS))
    asker = signed_in(asked.requested_by)
    assert asker.post(page_of(asked), {"decision": "withdraw"}).status_code == 302
    asked.refresh_from_db()
    assert asked.state == "withdrawn"


def test_form_offers_ones_own_applications_and_no_hidden_topic(stranger: Client) -> None:
    factories.make_application("others-app")
    mine = factories.make_application("mine-app", team=factories.make_team("strangers"))
    hidden = factories.make_topic("secret.payroll", is_restricted=True)
    page = text_of(stranger.get(NEW_REQUEST, {"topic": "secret.payroll"}))
    assert mine.name in page
    assert "Others app" not in page
    assert f'value="{hidden.pk}"' not in page


# The ledger


def test_ledger_tells_everything_to_those_who_may_read_it(
    admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    grant = factories.make_grant()
    with django_assert_max_num_queries(MOST_QUERIES):
        page = text_of(admin.get(LEDGER))
    assert "Gave a grant" in page
    assert "A test needs it." in page
    entry = LedgerEntry.objects.get(action="grant:give")
    detail = text_of(admin.get(reverse("governance:ledger-entry", args=[entry.number])))
    assert entry.hash[:12] in detail
    about = admin.get(LEDGER, {"about": f"governance.grant:{grant.pk}"})
    assert "Gave a grant" in text_of(about)
    assert "No entry" in text_of(admin.get(LEDGER, {"q": "walrus"}))


def test_citizen_reads_what_concerns_them_only(stranger: Client) -> None:
    factories.make_grant()
    mine = factories.make_grant(factories.make_application(team=factories.make_team("strangers")))
    entries = LedgerEntry.objects.filter(action="grant:give").order_by("number")
    pages = [reverse("governance:ledger-entry", args=[entry.number]) for entry in entries]
    assert list(statuses(stranger, pages).values()) == [404, 200]
    assert str(mine) in text_of(stranger.get(LEDGER))


def test_chain_is_verified_by_a_button(admin: Client) -> None:
    factories.make_grant()
    assert admin.get(VERIFY).status_code == 200
    answer = admin.post(VERIFY)
    assert answer.context["fault"] is None
    assert answer.context["was_run"]


def test_reviewer_reads_access_and_decides_only_for_what_their_team_owns() -> None:
    team = factories.make_team("stock")
    reviewer = signed_in(factories.make_person("rita", role=roles.REVIEWER, team=team))
    own = factories.make_access_request(topic=factories.make_topic(owner=team))
    other = factories.make_access_request()
    for asked, status in ((own, 302), (other, 403)):
        data = {"decision": "approve", "note": "Yes."}
        assert reviewer.get(page_of(asked)).status_code == 200
        assert reviewer.post(page_of(asked), data).status_code == status


@pytest.mark.parametrize("number", ["²", "9" * 30, "x", ""])
def test_matrix_stands_whatever_grant_its_address_names(admin: Client, number: str) -> None:
    assert admin.get(MATRIX, {"grant": number}).status_code == 200
