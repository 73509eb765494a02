"""What the doors of governance take and answer."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api.doors import Instant
from catalog.words import Environment
from governance import checks, proposals, reviews, workflow
from governance.compatibility import Direction, Mode, Policy, Severity, Verdict
from governance.models import (
    AccessRequest,
    ChangeRequest,
    CheckResult,
    Comment,
    Grant,
    LedgerEntry,
    Review,
)
from governance.states import (
    ChangeKind,
    ChangeState,
    Decision,
    GrantState,
    Outcome,
    RequestState,
    Verb,
)
from governance.states import Verdict as ChangeVerdict

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
