"""People sign in and out, change their password, and choose how pages look to them."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from catalog.models import User
from catalog.words import UserKind
from governance.models import LedgerEntry
from tests.factories import PASSWORD, make_person

pytestmark = pytest.mark.django_db

SIGN_IN = reverse("governance:sign-in")
PROFILE = reverse("governance:profile")


def test_person_signs_in_and_goes_where_they_wanted(client: Client) -> None:
    make_person("maya")
    response = client.post(
        f"{SIGN_IN}?next={PROFILE}", {"username": "maya", "password": PASSWORD, "next": PROFILE}
    )
    assert (response.status_code, response["Location"]) == (302, PROFILE)


def test_nobody_is_sent_to_another_site(client: Client) -> None:
    make_person("maya")
    response = client.post(
        SIGN_IN, {"username": "maya", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert "evil" not in response["Location"]


def test_wrong_password_is_told_without_saying_which_was_wrong(client: Client) -> None:
    make_person("maya")
    known = client.post(SIGN_IN, {"username": "maya", "password": "x"}).content.decode()
    unknown = client.post(SIGN_IN, {"username": "nobody", "password": "x"}).content.decode()
    sentence = "This name and password do not belong together."
    assert sentence in known
    assert sentence in unknown


def test_service_account_cannot_sign_in(client: Client) -> None:
    person = make_person("robot")
    User.objects.filter(pk=person.pk).update(kind=UserKind.SERVICE)
    response = client.post(SIGN_IN, {"username": "robot", "password": PASSWORD})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session


def test_too_many_wrong_passwords_wait(client: Client, settings: LazySettings) -> None:
    settings.AXES_ENABLED = True
    make_person("maya")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = client.post(SIGN_IN, {"username": "maya", "password": "x"})
    assert response.status_code == 429
    assert "Too many wrong passwords" in response.content.decode()
    assert "again in 15 min" in response.content.decode()
    right = client.post(SIGN_IN, {"username": "maya", "password": PASSWORD})
    assert right.status_code == 429


def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(make_person("maya"))
    assert client.get(reverse("governance:sign-out")).status_code == 405
    assert client.post(reverse("governance:sign-out")).status_code == 302
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("name", ["profile", "password-change"])
def test_stranger_is_asked_to_sign_in(client: Client, name: str) -> None:
    response = client.get(reverse(f"governance:{name}"))
    assert response.status_code == 302
    assert response["Location"].startswith(SIGN_IN)


def test_profile_keeps_choices_and_forgets_the_browsers_environment(client: Client) -> None:
    maya = make_person("maya")
    client.force_login(maya)
    client.cookies["environment"] = "production"
    response = client.post(
        PROFILE,
        {"time_zone": "Europe/Berlin", "theme": "dark", "environment": "staging", "language": "en"},
    )
    assert response.status_code == 302
    maya.refresh_from_db()
    assert (maya.time_zone, maya.theme, maya.environment) == ("Europe/Berlin", "dark", "staging")
    page = client.get(PROFILE).content.decode()
    assert 'data-theme="dark"' in page
    assert 'data-environment="staging"' in page


def test_unknown_zone_is_refused_beside_its_field(client: Client) -> None:
    client.force_login(make_person("maya"))
    page = client.post(PROFILE, {"time_zone": "Middle/Earth"}).content.decode()
    assert 'aria-invalid="true"' in page


def test_password_change_is_in_the_ledger_but_not_the_password(client: Client) -> None:
    maya = make_person("maya")
    client.force_login(maya)
    new = "another horse battery"
    response = client.post(
        reverse("governance:password-change"),
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
    )
    assert (response.status_code, response["Location"]) == (302, PROFILE)
    maya.refresh_from_db()
    assert maya.check_password(new)
    assert client.get(PROFILE).status_code == 200  # this session goes on
    entry = LedgerEntry.objects.order_by("-number").first()
    assert entry is not None
    assert entry.subject_id == str(maya.pk)
    assert new not in str(entry.__dict__)


def test_wrong_old_password_changes_nothing(client: Client) -> None:
    maya = make_person("maya")
    client.force_login(maya)
    new = "another horse battery"
    response = client.post(
        reverse("governance:password-change"),
        {"old_password": "x", "new_password1": new, "new_password2": new},
    )
    assert response.status_code == 200
    maya.refresh_from_db()
    assert maya.check_password(PASSWORD)
