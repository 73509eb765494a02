"""States of governed things and the moves between them (design, section 1)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class Verb(models.TextChoices):
    """What a grant allows an application or team to do with a topic."""

    PUBLISH = "publish", _("Publish")
    SUBSCRIBE = "subscribe", _("Subscribe")


class GrantState(models.TextChoices):
    IN_FORCE = "in_force", _("In force")
    EXPIRED = "expired", _("Expired")
    REVOKED = "revoked", _("Revoked")


GRANT_MOVES: Mapping[str, tuple[str, ...]] = {
    GrantState.IN_FORCE: (GrantState.EXPIRED, GrantState.REVOKED),
    GrantState.EXPIRED: (),
    GrantState.REVOKED: (),
}


class RequestState(models.TextChoices):
    OPEN = "open", _("Requested")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


REQUEST_MOVES: Mapping[str, tuple[str, ...]] = {
    RequestState.OPEN: (RequestState.APPROVED, RequestState.REJECTED, RequestState.WITHDRAWN),
    RequestState.APPROVED: (),
    RequestState.REJECTED: (),
    RequestState.WITHDRAWN: (),
}


class ChangeKind(models.TextChoices):
    """What a change request proposes."""

    NEW_EVENT_TYPE = "new_event_type", _("New event type")
    SCHEMA_VERSION = "schema_version", _("Schema version")
    PROMOTION = "promotion", _("Promotion to production")
    DEPRECATION = "deprecation", _("Deprecation")
    RETIREMENT = "retirement", _("Retirement")
    TOPIC_POLICY = "topic_policy", _("Topic policy")
    ROUTING_RULE = "routing_rule", _("Routing rule")
    TRANSLATION = "translation", _("Conversion between versions")


class ChangeState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    OPEN = "open", _("In review")
    CHANGES_REQUESTED = "changes_requested", _("Sent back")
    APPROVED = "approved", _("Approved")
    APPLIED = "applied", _("Applied")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")


CHANGE_MOVES: Mapping[str, tuple[str, ...]] = {
    ChangeState.DRAFT: (ChangeState.OPEN, ChangeState.WITHDRAWN),
    ChangeState.OPEN: (
        ChangeState.CHANGES_REQUESTED,
        ChangeState.APPROVED,
        ChangeState.REJECTED,
        ChangeState.WITHDRAWN,
    ),
    ChangeState.CHANGES_REQUESTED: (ChangeState.OPEN, ChangeState.WITHDRAWN),
    ChangeState.APPROVED: (ChangeState.APPLIED, ChangeState.OPEN, ChangeState.WITHDRAWN),
    ChangeState.APPLIED: (),
    ChangeState.REJECTED: (),
    ChangeState.WITHDRAWN: (),
}


class Decision(models.TextChoices):
    """What a reviewer says of a change request."""

    APPROVE = "approve", _("Approved")
    REJECT = "reject", _("Rejected")
    REQUEST_CHANGES = "request_changes", _("Sent back")
    # What the team of a subscriber that breaks says; it does not count as an approval.
    CONSENT = "consent", _("Agreed, as a subscriber")
    OBJECT = "object", _("Objected, as a subscriber")


class Outcome(models.TextChoices):
    """How a check ended."""

    PASSED = "passed", _("Passed")
    ADVICE = "advice", _("Advice")
    UNDECIDED = "undecided", _("Undecided")
    FAILED = "failed", _("Failed")


class Verdict(models.TextChoices):
    """What the compatibility check says of a proposal."""

    COMPATIBLE = "compatible", _("Compatible")
    UNDECIDED = "undecided", _("Undecided")
    INCOMPATIBLE = "incompatible", _("Breaking")
