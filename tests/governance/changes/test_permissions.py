"""Who may do what with a change request, as a matrix of people and verbs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied

from catalog.models import User
from governance import reviews, roles
from governance.models import ChangeRequest
from governance.states import ChangeState
from tests import factories
from tests.governance.changes.conftest import Scene, with_note

pytestmark = pytest.mark.django_db

Verb = Callable[[Scene, ChangeRequest, User], object]

VERBS: dict[str, tuple[str, Verb]] = {
    "edit": ("open", lambda s, c, p: reviews.edit(c, title="T", by=p, now=s.now)),
    "open": ("draft", lambda s, c, p: reviews.open_(c, by=p, now=s.now)),
    "approve": ("open", lambda s, c, p: reviews.approve(c, note="", by=p, now=s.now)),
    "send back": ("open", lambda s, c, p: reviews.send_back(c, note="Why?", by=p, now=s.now)),
    "reject": ("open", lambda s, c, p: reviews.reject(c, note="No.", by=p, now=s.now)),
    "withdraw": ("open", lambda s, c, p: reviews.withdraw(c, by=p, now=s.now)),
    "apply": ("approved", lambda s, c, p: reviews.apply(c, by=p, now=s.now)),
    "comment": ("open", lambda s, c, p: reviews.comment(c, text="Hm.", by=p, now=s.now)),
    "emergency": ("open", lambda s, c, p: reviews.emergency(c, reason="Now.", by=p, now=s.now)),
}
# Which people may; everybody else is refused.
MAY: dict[str, set[str]] = {
    "edit": {"proposer"},
    "open": {"proposer"},
    "approve": {"owner", "reviewer", "admin"},
    "send back": {"owner", "reviewer", "admin"},
    "reject": {"owner", "reviewer", "admin"},
    "withdraw": {"proposer", "admin"},
    "apply": {"owner", "reviewer", "admin"},
    "comment": {"proposer", "owner", "reviewer", "admin", "stranger", "support"},
    "emergency": {"admin"},
}
PEOPLE = ("proposer", "owner", "reviewer", "admin", "stranger", "support", "inactive", "service")


def person(scene: Scene, name: str) -> User:
    match name:
        case "stranger":
            return scene.citizen
        case "support":
            return factories.make_person("maya", role=roles.SUPPORT)
        case "inactive":
            return factories.make_person("gone", role=roles.ADMIN, is_active=False)
        case "service":
            return factories.make_application(team=scene.event_type.topic.owner).service_account
    found = getattr(scene, name)
    assert isinstance(found, User)
    return found


def in_state(scene: Scene, state: str) -> ChangeRequest:
    change = scene.propose(with_note())
    if state != ChangeState.DRAFT:
        change = reviews.open_(change, by=scene.proposer, now=scene.now)
    if state == ChangeState.APPROVED:
        change = reviews.approve(change, by=scene.reviewer, note="", now=scene.now)
    return change


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_for_those_whom_the_matrix_names(scene: Scene, verb: str, who: str) -> None:
    state, do = VERBS[verb]
    change = in_state(scene, state)
    user = person(scene, who)
    allowed = who in MAY[verb] or (verb == "comment" and who == "service")
    if allowed:
        do(scene, change, user)
        return
    with pytest.raises(PermissionDenied):
        do(scene, change, user)
    change.refresh_from_db()
    assert change.state == state


def test_a_reviewer_never_approves_their_own(scene: Scene) -> None:
    scene.proposer.groups.add(Group.objects.get(name=roles.REVIEWER))
    change = scene.opened(with_note())
    with pytest.raises(PermissionDenied):
        reviews.approve(change, by=scene.proposer, note="Mine.", now=scene.now)


def test_a_draft_is_seen_by_its_author_alone(scene: Scene) -> None:
    change = scene.propose(with_note())
    with pytest.raises(PermissionDenied):
        reviews.comment(change, text="What is this?", by=scene.citizen, now=scene.now)
