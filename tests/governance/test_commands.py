"""The commands that make the first person and mend a lost password leave their trace."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from catalog.models import User
from governance import access, verification
from governance.actions import Action
from governance.models import LedgerEntry


@pytest.mark.django_db
def test_first_admin_is_made_with_a_role_and_a_ledger_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-long-pass-phrase-7")
    call_command(
        "createsuperuser", "--noinput", username="first", email="first@example.com", verbosity=0
    )
    first = User.objects.get(username="first")
    assert first.check_password("a-long-pass-phrase-7")
    assert access.allows(first, Action.GRANT_GIVE)
    assert LedgerEntry.objects.about(first).exists()
    assert verification.verify() is None


@pytest.mark.django_db
def test_a_password_set_from_the_command_line_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a-long-pass-phrase-7")
    call_command(
        "createsuperuser", "--noinput", username="first", email="first@example.com", verbosity=0
    )
    monkeypatch.setattr("getpass.getpass", lambda prompt: "another-pass-phrase-8")
    call_command("changepassword", "first")
    assert User.objects.get(username="first").check_password("another-pass-phrase-8")
    assert verification.verify() is None
