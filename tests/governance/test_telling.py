"""Every action of the ledger is told in words."""

from __future__ import annotations

import pytest
from django.test import Client

from governance.actions import Action
from governance.telling import THINGS, VERBS, actions_with, told
from tests import factories


@pytest.mark.parametrize("action", list(Action))
def test_each_action_has_words(action: Action) -> None:
    thing, verb = action.split(":")
    assert told(action) == f"{VERBS[verb]} {THINGS[thing]}"


def test_what_no_verb_named_is_told_by_its_model() -> None:
    assert told("deadletter:change") == "Changed dead letter"
    assert told("key:frobnicate") == "key:frobnicate"


def test_actions_are_found_by_what_people_read() -> None:
    assert actions_with("revoked a") == [Action.KEY_REVOKE, Action.GRANT_REVOKE]


@pytest.mark.django_db
def test_the_ledger_is_searched_in_the_words_that_it_shows() -> None:
    admin = factories.make_admin()
    factories.make_grant()
    client = Client()
    client.force_login(admin)
    page = client.get("/ledger/", {"q": "gave a grant"}).content.decode()
    assert "Gave a grant" in page
    assert "Gave a grant" not in client.get("/ledger/", {"q": "retired a"}).content.decode()
