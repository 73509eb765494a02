"""What exists, one noun a file."""

from catalog.models.applications import Application
from catalog.models.domains import Domain, Region
from catalog.models.event_types import EventType
from catalog.models.people import Team, User
from catalog.models.rule_weights import RuleWeight
from catalog.models.topics import Topic
from catalog.models.versions import Release, SchemaVersion

__all__ = [
    "Application",
    "Domain",
    "EventType",
    "Region",
    "Release",
    "RuleWeight",
    "SchemaVersion",
    "Team",
    "Topic",
    "User",
]
