"""API keys: shown once, found by digest, useless when they ended."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from catalog.models import User
from catalog.moves import IllegalMove
from governance import applications, keys
from governance.actions import Action
from governance.api_auth import KeyAuthentication
from governance.models import ApiKey, LedgerEntry
from tests import factories
from tests.governance.conftest import People

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.mark.parametrize(
    ("environment", "prefix"), [("production", "sbx_live_"), ("staging", "sbx_test_")]
)
def test_key_says_its_environment_and_has_256_bits(environment: str, prefix: str) -> None:
    key, plain = factories.make_key(environment=environment)
    assert re.fullmatch(rf"{prefix}[0-9A-Za-z]{{43}}", plain)
    assert 62**43 > 2**256
    assert plain.startswith(key.prefix)
    assert len(key.prefix) < len(plain) - 30


def test_plain_key_is_stored_nowhere() -> None:
    key, plain = factories.make_key()
    secret = plain.removeprefix(key.prefix)
    stored = [str(row) for row in ApiKey.objects.filter(pk=key.pk).values()]
    stored += [str(row) for row in ApiKey.history.model.objects.values()]
    stored += [str(row) for row in LedgerEntry.objects.values()]
    assert not any(secret in text for text in stored)
    assert not any(key.digest in text for text in stored[1:])


def test_key_identifies_its_application() -> None:
    key, plain = factories.make_key()
    found = keys.identify(plain, NOW)
    assert found == key
    assert found.application == key.application


@pytest.mark.parametrize("plain", ["", "sbx_live_", "sbx_live_" + "A" * 43, "Bearer x", "é\x00"])
def test_unknown_key_identifies_nobody(plain: str) -> None:
    factories.make_key()
    assert keys.identify(plain, NOW) is None


def test_expired_key_identifies_nobody() -> None:
    ends = NOW + timedelta(days=1)
    key, plain = factories.make_key(expires_at=ends)
    assert keys.identify(plain, ends - timedelta(microseconds=1)) == key
    assert keys.identify(plain, ends) is None


def test_revoked_key_identifies_nobody_and_cannot_be_revoked_again() -> None:
    key, plain = factories.make_key()
    admin = factories.make_admin()
    keys.revoke(key, by=admin, reason="Leaked.", now=NOW)
    assert keys.identify(plain, NOW) is None
    with pytest.raises(IllegalMove):
        keys.revoke(key, by=admin, reason="Again.", now=NOW)


def test_key_of_an_inactive_application_identifies_nobody() -> None:
    key, plain = factories.make_key()
    applications.change(key.application, is_active=False, by=factories.make_admin(), now=NOW)
    assert keys.identify(plain, NOW) is None


@pytest.mark.parametrize(
    "wrong", [{"environment": "moon"}, {"expires_at": NOW - timedelta(days=1)}]
)
def test_key_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        factories.make_key(**wrong)  # type: ignore[arg-type]  # one of them is a date


def test_only_the_team_and_admins_make_and_revoke_keys(people: People) -> None:
    application = factories.make_application(team=people.team)
    for person in (people.alice, people.bob, people.admin):
        key, _plain = factories.make_key(application, by=person)
        keys.revoke(key, by=person, reason="Test.", now=NOW)
    for person in (people.charlie, people.reviewer, people.support):
        with pytest.raises(PermissionDenied):
            factories.make_key(application, by=person)


def test_application_cannot_make_itself_a_key() -> None:
    application = factories.make_application()
    with pytest.raises(PermissionDenied):
        factories.make_key(application, by=application.service_account)


def test_uses_are_written_together_and_leave_no_history() -> None:
    first, _ = factories.make_key()
    second, _ = factories.make_key()
    snapshots = ApiKey.history.count()
    keys.write_uses()  # what other tests left in this process
    keys.note_use(first.pk, NOW)
    keys.note_use(second.pk, NOW)
    keys.note_use(second.pk, NOW + timedelta(seconds=5))
    assert keys.write_uses() == 2
    assert keys.write_uses() == 0
    used = dict(ApiKey.objects.values_list("pk", "last_used_at"))
    assert used == {first.pk: NOW, second.pk: NOW + timedelta(seconds=5)}
    assert ApiKey.history.count() == snapshots


def request(**headers: str) -> Request:
    return Request(APIRequestFactory().get("/api/v1/grants", headers=headers))


@pytest.mark.parametrize("header", ["Bearer {}", "bearer {}", "BEARER  {}"])
def test_bearer_token_signs_the_application_in(header: str) -> None:
    key, plain = factories.make_key()
    user, auth = KeyAuthentication().authenticate(request(Authorization=header.format(plain))) or (
        None,
        None,
    )
    assert (user, auth) == (key.application.service_account, key)


def test_x_api_key_signs_the_application_in() -> None:
    key, plain = factories.make_key()
    found = KeyAuthentication().authenticate(request(**{"X-API-Key": plain}))
    assert found == (key.application.service_account, key)


def test_request_without_a_key_is_left_to_the_session() -> None:
    assert KeyAuthentication().authenticate(request()) is None
    assert KeyAuthentication().authenticate(request(Authorization="Basic YTpi")) is None


@pytest.mark.parametrize("header", ["Bearer nothing", "Bearer ", "Bearer"])
def test_key_that_opens_nothing_is_refused(header: str) -> None:
    with pytest.raises(AuthenticationFailed):
        KeyAuthentication().authenticate(request(Authorization=header))


def test_service_account_cannot_sign_in_as_a_person(client: Client) -> None:
    account = factories.make_application().service_account
    assert not account.has_usable_password()
    assert not client.login(username=account.username, password="")
    assert User.objects.get(pk=account.pk).last_login is None


def test_ledger_names_the_key_by_its_beginning() -> None:
    key, _plain = factories.make_key()
    entry = LedgerEntry.objects.about(key).get()
    assert entry.action == Action.KEY_CREATE
    assert entry.after["prefix"] == key.prefix
