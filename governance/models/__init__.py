"""Who may change and use what exists, one noun a file."""

from governance.models.changes import ChangeRequest, CheckResult, Comment, Review
from governance.models.grants import AccessRequest, Grant
from governance.models.keys import ApiKey
from governance.models.ledger import LedgerEntry, LedgerHead, Refusal
from governance.models.permissions import TopicGroupPermission, TopicUserPermission

__all__ = [
    "AccessRequest",
    "ApiKey",
    "ChangeRequest",
    "CheckResult",
    "Comment",
    "Grant",
    "LedgerEntry",
    "LedgerHead",
    "Refusal",
    "Review",
    "TopicGroupPermission",
    "TopicUserPermission",
]
