"""Guardian's permissions, kept in step with grants: the grant is the record, this enforces it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm, remove_perm

from catalog.models import User
from governance.access.codenames import CODENAMES, VIEW
from governance.models import Grant


def put_in_force(grant: Grant) -> None:
    """Let the grantee see the topic and do what the grant says."""
    holder = _locked_holder(grant)
    assign_perm(CODENAMES[grant.verb, grant.environment], holder, grant.topic)
    assign_perm(VIEW, holder, grant.topic)


def take_out_of_force(grant: Grant, *, now: datetime) -> None:
    """Take back what the grant gave, unless another grant in force still needs it.

    Call it after the grant's own state has moved.
    """
    holder = _locked_holder(grant)
    others = Grant.objects.in_force(now).filter(
        application=grant.application, team=grant.team, topic=grant.topic
    )
    if not others.filter(verb=grant.verb, environment=grant.environment).exists():
        remove_perm(CODENAMES[grant.verb, grant.environment], holder, grant.topic)
    if not others.exists():
        remove_perm(VIEW, holder, grant.topic)


def _locked_holder(grant: Grant) -> User | Group:
    """Return who holds the permissions, locked until the transaction ends.

    Else a grant given while another is revoked could lose the permission to view that they share.
    """
    if grant.application is not None:
        account = grant.application.service_account_id
        return User.objects.select_for_update(no_key=True).get(pk=account)
    return Group.objects.select_for_update(no_key=True).get(team=grant.team_id)
