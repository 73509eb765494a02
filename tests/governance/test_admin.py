"""Admins give, revoke and decide in the Django admin by the verbs of governance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import User
from governance import access, access_requests
from governance.actions import Action
from governance.models import AccessRequest, ApiKey, Grant, LedgerEntry
from governance.states import GrantState, RequestState
from tests.administration import list_url, make_staff, page_url, sign_in
from tests.factories import (
    make_access_request,
    make_application,
    make_change_request,
    make_grant,
    make_key,
    make_person,
    make_team,
    make_topic,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    return make_staff()


@pytest.fixture
def admin(client: Client, person: User) -> Client:
    return sign_in(client, person)


def act(client: Client, name: str, *rows: Any, **values: object) -> Any:
    data = {
        "action": name,
        "_selected_action": [str(row.pk) for row in rows],
        "confirmed": "yes",
        **values,
    }
    return client.post(list_url(type(rows[0])), data)


def said(response: Any) -> str:
    return " ".join(str(one) for one in get_messages(response.wsgi_request))


def grant_form(**values: object) -> dict[str, object]:
    return {"verb": "subscribe", "environment": "production", "reason": "Orders.", **values}


def test_grant_given_here_is_in_force(admin: Client) -> None:
    application, topic = make_application(), make_topic()
    values = grant_form(application=application.pk, topic=topic.pk)
    response = admin.post(f"{list_url(Grant)}add/", values)
    assert response.status_code == 302
    assert access.allows(application.service_account, Action.TOPIC_SUBSCRIBE, topic)


def test_grant_needs_one_grantee(admin: Client) -> None:
    application, team, topic = make_application(), make_team(), make_topic()
    for grantees in ({}, {"application": application.pk, "team": team.pk}):
        values = grant_form(topic=topic.pk, **grantees)
        page = admin.post(f"{list_url(Grant)}add/", values).content.decode()
        assert "Choose an application or a team, not both." in page
    assert not Grant.objects.exists()


def test_second_grant_is_refused_on_the_form(admin: Client) -> None:
    grant = make_grant()
    assert grant.application is not None
    values = grant_form(application=grant.application.pk, topic=grant.topic.pk)
    response = admin.post(f"{list_url(Grant)}add/", values)
    assert response.status_code == 200
    assert Grant.objects.count() == 1


def test_grant_is_revoked_with_a_reason(admin: Client, person: User) -> None:
    grant = make_grant()
    assert "Reason" in act(admin, "revoke", grant, confirmed="").content.decode()
    act(admin, "revoke", grant, reason="No longer used.")
    grant.refresh_from_db()
    assert (grant.state, grant.end_reason) == (GrantState.REVOKED, "No longer used.")
    entry = LedgerEntry.objects.all()[0]
    assert (entry.action, entry.actor_id, entry.reason) == (
        "grant:revoke",
        person.pk,
        "No longer used.",
    )


def test_second_revocation_is_a_message(admin: Client) -> None:
    grant = make_grant()
    act(admin, "revoke", grant, reason="No longer used.")
    response = act(admin, "revoke", grant, reason="Again.")
    assert response.status_code == 302
    assert "revoked" in said(response)


def test_grant_ends_another_day(admin: Client) -> None:
    grant = make_grant()
    last = (timezone.now() + timedelta(days=300)).date().isoformat()
    act(admin, "extend", grant, until=last, reason="The project goes on.")
    grant.refresh_from_db()
    assert grant.until is not None
    assert grant.until.date().isoformat() == last


def test_request_is_approved(admin: Client) -> None:
    request = make_access_request()
    act(admin, "approve", request, until="", note="Fine.")
    request.refresh_from_db()
    assert request.state == RequestState.APPROVED
    assert request.grant is not None


def test_request_is_rejected_with_a_note(admin: Client) -> None:
    request = make_access_request()
    act(admin, "reject", request, note="Use the other topic.")
    request.refresh_from_db()
    assert (request.state, request.decision_note) == (
        RequestState.REJECTED,
        "Use the other topic.",
    )


def test_nobody_decides_their_own_request(admin: Client, person: User) -> None:
    request = make_access_request(by=person)
    response = act(admin, "approve", request, until="", note="Mine.")
    assert "may not" in said(response)
    request.refresh_from_db()
    assert request.state == RequestState.OPEN


def test_one_request_that_is_decided_does_not_stop_the_others(admin: Client) -> None:
    first, second = make_access_request(), make_access_request()
    access_requests.withdraw(first, by=first.requested_by, now=timezone.now())
    response = act(admin, "approve", first, second, until="", note="")
    assert "withdrawn" in said(response)
    states = dict(AccessRequest.objects.values_list("pk", "state"))
    assert states == {first.pk: RequestState.WITHDRAWN, second.pk: RequestState.APPROVED}


def test_key_is_revoked_and_its_digest_is_not_shown(admin: Client) -> None:
    key, plain = make_key()
    page = admin.get(page_url(key)).content.decode()
    assert key.prefix in page
    assert key.digest not in page
    assert plain not in page
    act(admin, "revoke", key, reason="It leaked.")
    assert ApiKey.objects.get().revoked_at is not None


def test_change_request_leads_to_its_page_in_the_portal(admin: Client) -> None:
    change = make_change_request()
    page = admin.get(page_url(change)).content.decode()
    assert reverse("governance:change-request-detail", args=[change.number]) in page
    assert admin.post(page_url(change), {"title": "Mine"}).status_code == 403


def test_short_number_finds_its_thing(admin: Client) -> None:
    change, other = make_change_request(), make_change_request()
    page = admin.get(list_url(type(change)), {"q": f"CR-{change.number}"}).content.decode()
    assert page_url(change) in page
    assert page_url(other) not in page


def test_signed_in_staff_need_no_second_sign_in(admin: Client) -> None:
    assert admin.get(reverse("admin:login"))["Location"] == reverse("admin:index")


def test_password_is_changed_in_the_portal(admin: Client) -> None:
    response = admin.get(reverse("admin:password_change"))
    assert response["Location"] == reverse("governance:password-change")


def test_person_without_a_staff_role_is_told_so(client: Client) -> None:
    sign_in(client, make_person())
    assert client.get(reverse("admin:login")).status_code == 403
