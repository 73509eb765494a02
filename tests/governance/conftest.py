"""People and things that the tests of governance share."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from catalog.models import Team, User
from governance import roles
from tests import factories


@dataclass(frozen=True, kw_only=True)
class People:
    """Alice owns, bob is on her team, charlie is a stranger; and one of each role."""

    team: Team
    alice: User
    bob: User
    charlie: User
    reviewer: User
    admin: User
    support: User


@pytest.fixture
def people(db: None) -> People:
    team = factories.make_team("sales")
    return People(
        team=team,
        alice=factories.make_person("alice", team=team),
        bob=factories.make_person("bob", team=team),
        charlie=factories.make_person("charlie", team=factories.make_team("strangers")),
        reviewer=factories.make_person("rita", role=roles.REVIEWER),
        admin=factories.make_person("adam", role=roles.ADMIN),
        support=factories.make_person("sue", role=roles.SUPPORT),
    )
