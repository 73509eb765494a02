"""What the comparison of schemas takes and answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from governance.compatibility import Direction, Mode, Policy, Severity, Verdict

# Of the pure engine, whose words have no labels.
MODES = [(mode.value, mode.value) for mode in Mode]
POLICIES = [(policy.value, policy.value) for policy in Policy]
VERDICTS = [(verdict.value, verdict.value) for verdict in Verdict]
SEVERITIES = [(severity.value, severity.value) for severity in Severity]
DIRECTIONS = [(direction.value, direction.value) for direction in Direction]


class Pair(serializers.Serializer[Any]):
    """Two schemas to compare."""

    old = serializers.JSONField()
    new = serializers.JSONField()
    mode = serializers.ChoiceField(choices=MODES, default=Mode.BACKWARD.value)
    policy = serializers.ChoiceField(choices=POLICIES, default=Policy.LENIENT.value)


class FindingShape(serializers.Serializer[Any]):
    """One change, and whom it breaks; `witness` is a document that worked and fails now."""

    kind = serializers.CharField()
    severity = serializers.ChoiceField(choices=SEVERITIES)
    direction = serializers.ChoiceField(choices=DIRECTIONS, allow_null=True)
    old_pointer = serializers.CharField(allow_null=True)
    new_pointer = serializers.CharField(allow_null=True)
    message = serializers.CharField()
    against = serializers.CharField(allow_null=True)
    witness = serializers.JSONField(required=False)


class ReportShape(serializers.Serializer[Any]):
    """What the engine says of two schemas."""

    verdict = serializers.ChoiceField(choices=VERDICTS)
    findings = FindingShape(many=True)


class ChangelogShape(ReportShape):
    """What a version changed; `since` is the version before it, null for a first one."""

    version = serializers.CharField()
    since = serializers.CharField(allow_null=True)
    changes = serializers.CharField()
