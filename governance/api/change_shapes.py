"""What the doors of change requests take and answer."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.doors import Instant
from governance import checks, proposals, reviews, workflow
from governance.models import ChangeRequest, CheckResult, Comment, Review
from governance.states import ChangeKind, ChangeState, Decision, Outcome
from governance.states import Verdict as ChangeVerdict


class ChangeQuery(serializers.Serializer[Any]):
    """Which change requests; `proposed_by` is a user name."""

    search = serializers.CharField(required=False)
    state = serializers.ChoiceField(choices=ChangeState.choices, required=False)
    kind = serializers.ChoiceField(choices=ChangeKind.choices, required=False)
    topic = serializers.CharField(required=False)
    event_type = serializers.CharField(required=False)
    proposed_by = serializers.CharField(required=False)


class ChangeWish(serializers.Serializer[Any]):
    """A proposal. `base` is the version that a promotion, deprecation or retirement is about."""

    kind = serializers.ChoiceField(choices=ChangeKind.choices)
    topic = serializers.CharField(required=False)
    event_type = serializers.CharField(required=False)
    base = serializers.CharField(required=False)
    title = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    reason = serializers.CharField()
    proposal = serializers.DictField(required=False, default=dict)
    draft = serializers.BooleanField(
        required=False, default=False, help_text="Keep it to yourself; else it is opened at once."
    )


class ChangeEdit(serializers.Serializer[Any]):
    """What changes of a proposal; what is left out stays."""

    title = serializers.CharField(required=False, max_length=200)
    reason = serializers.CharField(required=False)
    proposal = serializers.DictField(required=False)


class ChangeShape(serializers.Serializer[ChangeRequest]):
    """A proposed change and where it stands."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=ChangeKind.choices)
    title = serializers.CharField()
    reason = serializers.CharField()
    topic = serializers.CharField(source="topic.name")
    event_type = serializers.SerializerMethodField()
    base = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=ChangeState.choices)
    verdict = serializers.ChoiceField(choices=ChangeVerdict.choices, allow_blank=True)
    is_emergency = serializers.BooleanField()
    proposal_sha256 = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    created_at = Instant()
    opened_at = Instant(allow_null=True)
    due_at = Instant(allow_null=True)
    decided_at = Instant(allow_null=True)
    applied_at = Instant(allow_null=True)

    def get_event_type(self, row: ChangeRequest) -> str | None:
        """Return the name of the event type; null for one that is only proposed."""
        return row.event_type.name if row.event_type else None

    def get_base(self, row: ChangeRequest) -> str | None:
        """Return the version that it is about, or starts from."""
        return row.base.version if row.base else None


class CheckShape(serializers.Serializer[CheckResult]):
    """What a check says of the proposal as it stands."""

    check = serializers.CharField(source="check_name")
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    summary = serializers.CharField()
    findings = serializers.ListField(child=serializers.DictField())
    ran_at = Instant()


class ReviewShape(serializers.Serializer[Review]):
    """What a reviewer said; void since the proposal changed."""

    reviewer = serializers.CharField(source="reviewer.username")
    decision = serializers.ChoiceField(choices=Decision.choices)
    note = serializers.CharField()
    for_owning_team = serializers.BooleanField()
    decided_at = Instant()
    voided_at = Instant(allow_null=True)


class SignOffShape(serializers.Serializer[Any]):
    """A subscriber that the change breaks; `decision` is null until its team answers."""

    application = serializers.CharField()
    team = serializers.CharField()
    because = serializers.ListField(child=serializers.CharField())
    due_at = Instant(allow_null=True)
    decision = serializers.SerializerMethodField()
    note = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=Decision.choices, allow_null=True))
    def get_decision(self, row: reviews.SignOff) -> str | None:
        """Return consent or object, null for no answer yet."""
        return row.review.decision if row.review else None

    def get_note(self, row: reviews.SignOff) -> str:
        """Return what they said beside it."""
        return row.review.note if row.review else ""


class WholeChangeShape(ChangeShape):
    """A change request with its proposal, checks and reviews; `missing` is what it still needs."""

    proposal = serializers.SerializerMethodField()
    checks = serializers.SerializerMethodField()
    reviews = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()
    sign_offs = serializers.SerializerMethodField()

    def get_proposal(self, row: ChangeRequest) -> dict[str, Any]:
        """Return the values of the proposal, its documents as JSON values."""
        values: dict[str, Any] = json.loads(row.proposal)
        kind = proposals.KINDS.get(row.kind)
        for name in kind.json_documents if kind else ():
            if values.get(name):
                values[name] = json.loads(values[name])
        return values

    @extend_schema_field(CheckShape(many=True))
    def get_checks(self, row: ChangeRequest) -> list[Any]:
        """Return the newest answer of each check."""
        return [CheckShape(result).data for result in checks.latest(row)]

    @extend_schema_field(ReviewShape(many=True))
    def get_reviews(self, row: ChangeRequest) -> list[Any]:
        """Return what reviewers said, oldest first."""
        return [ReviewShape(review).data for review in row.reviews.select_related("reviewer")]

    def get_missing(self, row: ChangeRequest) -> list[str]:
        """Return in sentences what it still needs."""
        return list(workflow.standing(row).missing)

    @extend_schema_field(SignOffShape(many=True))
    def get_sign_offs(self, row: ChangeRequest) -> list[Any]:
        """Return the subscribers that it breaks, with what their teams say."""
        return [SignOffShape(one).data for one in reviews.sign_offs(row)]


class Approval(serializers.Serializer[Any]):
    """An approval. `seen_sha256`: of the proposal that was looked at; another one is refused."""

    note = serializers.CharField(required=False, allow_blank=True, default="")
    seen_sha256 = serializers.CharField(required=False)
    accepted = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        default=list,
        help_text="Names of failed checks that the approver takes upon themselves.",
    )
    apply = serializers.BooleanField(required=False, default=False)


class Objection(serializers.Serializer[Any]):
    """Why not, or not yet."""

    note = serializers.CharField()
    seen_sha256 = serializers.CharField(required=False)


class Emergency(serializers.Serializer[Any]):
    """Why it cannot wait for a review; kept for ever."""

    reason = serializers.CharField()


class SignOffWish(serializers.Serializer[Any]):
    """What a subscriber that the change breaks says; an objection needs a note."""

    application = serializers.SlugField()
    agrees = serializers.BooleanField()
    note = serializers.CharField(required=False, allow_blank=True, default="")


class Withdrawal(serializers.Serializer[Any]):
    """Why it is taken back."""

    reason = serializers.CharField(required=False, allow_blank=True, default="")


class CommentWish(serializers.Serializer[Any]):
    """A word in the discussion."""

    text = serializers.CharField()


class CommentShape(serializers.Serializer[Comment]):
    """A word in the discussion."""

    id = serializers.UUIDField()
    author = serializers.CharField(source="author.username")
    text = serializers.CharField()
    written_at = Instant()
