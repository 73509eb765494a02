"""Routing rules as they hold; a change request of kind `routing_rule` changes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from catalog.api.doors import Door, Instant, ListDoor, OneDoor
from catalog.words import Environment
from delivery import routing_rules, rule_proposals, rule_words
from delivery.models import RoutingRule
from delivery.states import RuleAction
from governance.actions import Action


class RuleQuery(serializers.Serializer[Any]):
    """Which rules."""

    topic = serializers.CharField(required=False)
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)


class RuleShape(serializers.Serializer[Any]):
    """One rule: its values as a proposal names them, and a sentence that says what it does."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    version = serializers.IntegerField()
    topic = serializers.CharField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    name = serializers.CharField()
    position = serializers.IntegerField(help_text="Lower ones are asked first.")
    is_active = serializers.BooleanField()
    action = serializers.ChoiceField(choices=RuleAction.choices)
    event_types = serializers.ListField(child=serializers.CharField())
    regions = serializers.ListField(child=serializers.CharField())
    filter = serializers.JSONField()
    condition = serializers.CharField()
    concerns = serializers.CharField(
        help_text="application:short-name, subscription:number, or empty for everybody."
    )
    sends_to = serializers.CharField()
    sentence = serializers.CharField()
    change_request = serializers.UUIDField()
    changed_at = Instant()


class _Door(Door[RoutingRule]):
    """A door to routing rules."""

    queryset = routing_rules.with_names()
    serializer_class = RuleShape
    sees = Action.ROUTING_RULE_VIEW

    def narrowed(self, rows: QuerySet[RoutingRule]) -> QuerySet[RoutingRule]:
        """Keep those of the key's environment."""
        own = self.key_environment
        return rows.filter(environment=own) if own else rows

    def told(self, rows: Sequence[RoutingRule]) -> Sequence[object]:
        """Return the rules as proposals write them, each with its sentence."""
        return [
            {
                **rule_proposals.of_rule(row),
                "id": row.pk,
                "number": row.number,
                "version": row.version,
                "topic": row.topic.name,
                "sentence": rule_words.sentence(row),
                "change_request": row.change_request_id,
                "changed_at": row.changed_at,
            }
            for row in rows
        ]


class RoutingRules(_Door, ListDoor[RoutingRule]):
    """The routing rules that the person may see, newest first."""

    query_class = RuleQuery

    def narrowed(self, rows: QuerySet[RoutingRule]) -> QuerySet[RoutingRule]:
        """Keep what the parameters ask for."""
        asked = self.asked
        rows = super().narrowed(rows)
        columns = {"topic": "topic__name", "environment": "environment", "is_active": "is_active"}
        wanted = {columns[name]: asked[name] for name in columns if asked.get(name) is not None}
        return rows.filter(**wanted)


class OneRoutingRule(_Door, OneDoor[RoutingRule]):
    """One routing rule."""
