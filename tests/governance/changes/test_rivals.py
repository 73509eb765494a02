"""Two people deciding at the same moment: one wins, the other is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection

from catalog.models import User
from catalog.moves import IllegalMove
from governance import reviews, verification
from governance.models import ChangeRequest
from governance.states import ChangeState
from tests.governance.changes.conftest import Scene, with_note

pytestmark = pytest.mark.django_db(transaction=True)

Decide = Callable[[ChangeRequest, User, datetime], ChangeRequest]


def approve(change: ChangeRequest, by: User, now: datetime) -> ChangeRequest:
    return reviews.approve(change, by=by, note="Yes.", now=now, and_apply=True)


def reject(change: ChangeRequest, by: User, now: datetime) -> ChangeRequest:
    return reviews.reject(change, by=by, note="No.", now=now)


@pytest.mark.parametrize("decisions", [(approve, approve), (approve, reject), (reject, reject)])
def test_the_second_of_two_rival_decisions_is_refused(
    scene: Scene, decisions: tuple[Decide, Decide]
) -> None:
    change = scene.opened(with_note())
    start = threading.Barrier(2, timeout=10)
    outcomes: list[str] = []

    def decide(how: Decide, by: User) -> None:
        try:
            start.wait()
            how(change, by, scene.now)
            outcomes.append("won")
        except IllegalMove as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    people = (scene.owner, scene.reviewer)
    threads = [
        threading.Thread(target=decide, args=pair) for pair in zip(decisions, people, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes)[-1] == "won"
    assert len(outcomes) == 2
    assert any(word in sorted(outcomes)[0] for word in ("applied already", "rejected it"))
    change.refresh_from_db()
    assert change.state in (ChangeState.APPLIED, ChangeState.REJECTED)
    assert verification.verify() is None
