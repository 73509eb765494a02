"""What waits for a person, as numbers beside the places of the navigation."""

from __future__ import annotations

from catalog.models import User
from delivery import notifications
from delivery.context_processors import register_count
from delivery.models import FailureGroup
from governance import access
from governance.actions import Action
from governance.models import AccessRequest, ChangeRequest
from governance.states import ChangeState


def register() -> None:
    """Fill the counts of the frame."""
    register_count("failures", failures, tone="bad")
    register_count("changes", changes)
    register_count("access", requests)
    register_count("notifications", unread)


def failures(user: User, environment: str) -> int:
    """Count causes of failure that nobody has settled."""
    seen = access.restrict(FailureGroup.objects.unsettled(), user, Action.FAILURE_VIEW)
    return seen.filter(environment=environment).count()


def changes(user: User, environment: str) -> int:
    """Count changes that this person may approve, in any environment."""
    del environment  # a change is about both
    waiting = access.restrict(
        ChangeRequest.objects.filter(state=ChangeState.OPEN), user, Action.CHANGE_APPROVE
    )
    return waiting.count()


def requests(user: User, environment: str) -> int:
    """Count requests for access that this person may decide, in any environment."""
    del environment
    return access.restrict(AccessRequest.objects.open(), user, Action.ACCESS_REQUEST_DECIDE).count()


def unread(user: User, environment: str) -> int:
    """Count news that this person has not read."""
    del environment
    return notifications.unread(user)
