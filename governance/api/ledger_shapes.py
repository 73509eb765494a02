"""What the doors of the ledger take and answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.doors import Instant
from governance.models import LedgerEntry


class LedgerQuery(serializers.Serializer[Any]):
    """Which entries; `about` is a reference as in `related`."""

    search = serializers.CharField(required=False)
    action = serializers.CharField(required=False)
    actor = serializers.UUIDField(required=False)
    subject_type = serializers.CharField(required=False)
    subject_id = serializers.CharField(required=False)
    about = serializers.CharField(required=False)
    since = Instant(required=False)
    until = Instant(required=False)


class ActorShape(serializers.Serializer[Any]):
    """Who did it; without an id, Signalbox itself."""

    id = serializers.UUIDField(allow_null=True, source="actor_id")
    name = serializers.CharField(source="actor_name")


class SubjectShape(serializers.Serializer[Any]):
    """What it was done to."""

    type = serializers.CharField(source="subject_type")
    id = serializers.CharField(source="subject_id")
    label = serializers.CharField(source="subject_label")  # type: ignore[assignment]  # declared


class LedgerShape(serializers.Serializer[LedgerEntry]):
    """One governed change, and its link in the chain."""

    number = serializers.IntegerField()
    at = Instant()
    actor = ActorShape(source="*")
    action = serializers.CharField()
    subject = SubjectShape(source="*")
    reason = serializers.CharField()
    before = serializers.DictField()
    after = serializers.DictField()
    related = serializers.ListField(child=serializers.CharField())
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


class BadEntry(serializers.Serializer[Any]):
    """The first entry where the chain does not hold, and why."""

    number = serializers.IntegerField()
    what = serializers.CharField()


class Verification(serializers.Serializer[Any]):
    """Whether the whole chain holds; keep `head_hash` elsewhere to compare it later."""

    valid = serializers.BooleanField()
    entries = serializers.IntegerField()
    head_hash = serializers.CharField()
    first_bad = BadEntry(allow_null=True)
