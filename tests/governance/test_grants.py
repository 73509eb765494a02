"""Grants: what they allow, since when and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from guardian.shortcuts import get_perms

from catalog.moves import IllegalMove
from governance import access, grants, roles
from governance.actions import Action
from governance.models import Grant, LedgerEntry
from governance.states import GrantState
from tests import factories

pytestmark = pytest.mark.django_db

NOW = timezone.now()
SOON = NOW + timedelta(days=1)


def give(grantee, topic, **values):
    values = {
        "verb": "subscribe",
        "environment": "production",
        "until": None,
        "reason": "Orders go to a sheet.",
        "now": NOW,
        **values,
    }
    return grants.give(
        grantee, topic=topic, by=values.pop("by", None) or factories.make_admin(), **values
    )


def may(application, topic, action=Action.TOPIC_SUBSCRIBE, environment="production", now=None):
    return access.allows(
        application.service_account, action, topic, environment=environment, now=now
    )


def test_granted_application_may_subscribe_at_once():
    application, topic = factories.make_application(), factories.make_topic()
    assert not may(application, topic)
    give(application, topic)
    assert may(application, topic)
    assert set(get_perms(application.service_account, topic)) == {"subscribe_topic", "view_topic"}
