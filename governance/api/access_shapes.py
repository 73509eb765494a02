"""What the doors of grants and of requests for access take and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.doors import Instant
from catalog.words import Environment
from governance.models import AccessRequest, Grant
from governance.states import GrantState, RequestState, Verb


class WantedQuery(serializers.Serializer[Any]):
    """Of whom, and for what; short names and names."""

    application = serializers.CharField(required=False)
    team = serializers.CharField(required=False)
    topic = serializers.CharField(required=False)
    verb = serializers.ChoiceField(choices=Verb.choices, required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)


class GrantQuery(WantedQuery):
    """Which grants."""

    state = serializers.ChoiceField(choices=GrantState.choices, required=False)


class RequestQuery(WantedQuery):
    """Which requests for access."""

    state = serializers.ChoiceField(choices=RequestState.choices, required=False)


class WantedWish(serializers.Serializer[Any]):
    """Who wants to do what with which topic; an application or a team."""

    application = serializers.CharField(required=False)
    team = serializers.CharField(required=False)
    topic = serializers.CharField()
    verb = serializers.ChoiceField(choices=Verb.choices)
    environment = serializers.ChoiceField(choices=Environment.choices)
    reason = serializers.CharField()


class GrantWish(WantedWish):
    """A grant to give; without an end it holds until it is revoked."""

    until = Instant(required=False, allow_null=True, default=None)


class RequestWish(WantedWish):
    """A grant to ask for."""

    wanted_until = Instant(required=False, allow_null=True, default=None)


class _WantedShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    application = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField()
    topic = serializers.CharField(source="topic.name")
    verb = serializers.ChoiceField(choices=Verb.choices)
    environment = serializers.ChoiceField(choices=Environment.choices)
    reason = serializers.CharField()

    def get_application(self, row: Grant | AccessRequest) -> str | None:
        """Return the application's short name, if it is one's."""
        return row.application.slug if row.application else None

    def get_team(self, row: Grant | AccessRequest) -> str | None:
        """Return the team's short name, if it is one's."""
        return row.team.slug if row.team else None


class GrantShape(_WantedShape):
    """A permission to publish or subscribe."""

    state = serializers.ChoiceField(choices=GrantState.choices)
    until = Instant(allow_null=True)
    granted_by = serializers.SerializerMethodField()
    granted_at = Instant()
    ended_at = Instant(allow_null=True)
    end_reason = serializers.CharField()

    def get_granted_by(self, row: Grant) -> str | None:
        """Return who gave it; null for what Signalbox gave by itself."""
        return row.granted_by.username if row.granted_by else None


class RequestShape(_WantedShape):
    """A request for a grant."""

    state = serializers.ChoiceField(choices=RequestState.choices)
    wanted_until = Instant(allow_null=True)
    requested_by = serializers.CharField(source="requested_by.username")
    requested_at = Instant()
    decided_by = serializers.SerializerMethodField()
    decided_at = Instant(allow_null=True)
    decision_note = serializers.CharField()
    grant = serializers.UUIDField(source="grant_id", allow_null=True)

    def get_decided_by(self, row: AccessRequest) -> str | None:
        """Return who decided."""
        return row.decided_by.username if row.decided_by else None


class RequestApproval(serializers.Serializer[Any]):
    """Until when; without it, as long as was asked for."""

    until = Instant(required=False, allow_null=True)
    note = serializers.CharField(required=False, allow_blank=True, default="")


class RequestRefusal(serializers.Serializer[Any]):
    """Why not."""

    note = serializers.CharField()


class Revocation(serializers.Serializer[Any]):
    """Why it is taken back."""

    reason = serializers.CharField()
