"""What the house's rules weigh in the whole portal."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.doors import Asking, read
from catalog.house_rules import HouseRule, Weight
from governance import access, house_rules
from governance.actions import Action
from governance.lint import Policy, Source

SOURCES = [(source.value, source.value) for source in Source]


class HouseRuleShape(serializers.Serializer[house_rules.Told]):
    """A rule for contracts; `source` says whose word its weight is."""

    rule = serializers.ChoiceField(choices=HouseRule.choices)
    label = serializers.CharField()  # type: ignore[assignment]  # declared
    weight = serializers.ChoiceField(choices=Weight.choices)
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]  # declared
    shipped = serializers.ChoiceField(choices=Weight.choices, help_text="As Signalbox comes.")


class HouseRulesShape(serializers.Serializer[Any]):
    """Every rule for contracts, in one page."""

    results = HouseRuleShape(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class HouseRulesWish(serializers.Serializer[Any]):
    """New weights by rule; rules that are not named stay as they are."""

    weights = serializers.DictField(child=serializers.ChoiceField(choices=Weight.choices))
    reason = serializers.CharField()


class HouseRules(Asking):
    """What rules weigh where a topic says nothing of its own."""

    @extend_schema(responses=HouseRulesShape)
    def get(self, request: Request) -> Response:
        """List the rules with their weights."""
        access.require(self.person, Action.TOPIC_VIEW)
        return _told(house_rules.portal_policy())

    @extend_schema(request=HouseRulesWish, responses=HouseRulesShape)
    def patch(self, request: Request) -> Response:
        """Set what rules weigh from now on."""
        wish = read(HouseRulesWish, request.data)
        weights, reason = wish["weights"], wish["reason"]
        return _told(house_rules.weigh(weights, by=self.person, reason=reason, now=timezone.now()))


def _told(policy: Policy) -> Response:
    page = {"results": list(house_rules.listed(policy)), "next": None, "previous": None}
    return Response(HouseRulesShape(page).data)
