"""A topic of Sales with one live contract, and everybody who has a say in it."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import EventType, SchemaVersion, User
from governance import reviews, roles
from governance.models import ChangeRequest
from governance.states import ChangeKind
from tests import factories

BASE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["order_id", "amount"],
    "properties": {
        "order_id": {"type": "string", "title": "Order number", "maxLength": 40},
        "amount": {"type": "number", "title": "Amount", "minimum": 0},
        "email": {"type": "string", "title": "E-mail", "maxLength": 200, "x-sensitive": "personal"},
    },
}


def with_note() -> dict[str, Any]:
    """A safe change: one more optional field."""
    schema = copy.deepcopy(BASE)
    schema["properties"]["note"] = {"type": "string", "title": "Note", "maxLength": 280}
    return schema


def with_country() -> dict[str, Any]:
    """A breaking change: one more required field."""
    schema = copy.deepcopy(BASE)
    schema["properties"]["country"] = {"type": "string", "title": "Country", "maxLength": 2}
    schema["required"].append("country")
    return schema


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`proposer` and `owner` (a reviewer) are on the owning team; `reviewer`, `admin` are not."""

    event_type: EventType
    base: SchemaVersion
    proposer: User
    owner: User
    reviewer: User
    admin: User
    citizen: User
    now: datetime

    def propose(
        self, schema: dict[str, Any] | str, version: str = "1.1.0", **more: Any
    ) -> ChangeRequest:
        return reviews.propose(
            ChangeKind.SCHEMA_VERSION,
            event_type=self.event_type,
            base=self.base,
            reason="The shop asks for it.",
            proposal={
                "version": version,
                "document": schema if isinstance(schema, str) else json.dumps(schema),
                **more,
            },
            by=self.proposer,
            now=self.now,
        )

    def opened(self, schema: dict[str, Any], version: str = "1.1.0") -> ChangeRequest:
        return reviews.open_(self.propose(schema, version), by=self.proposer, now=self.now)

    def applied(self, schema: dict[str, Any], version: str = "1.1.0") -> SchemaVersion:
        change = self.opened(schema, version)
        for person in (self.owner, self.reviewer):
            change.refresh_from_db()
            if change.state == "open":
                reviews.approve(change, by=person, note="Good.", now=self.now)
        reviews.apply(change, by=self.reviewer, now=self.now)
        return self.event_type.versions.get(version=version)

    def promotion(self, version: SchemaVersion) -> ChangeRequest:
        return reviews.propose(
            ChangeKind.PROMOTION,
            base=version,
            reason="Staging ran clean.",
            by=self.proposer,
            now=self.now,
        )


@pytest.fixture
def scene(db: None) -> Scene:
    sales, platform = factories.make_team("sales"), factories.make_team("platform")
    event_type = factories.make_event_type(
        "com.acme.sales.order.created", topic=factories.make_topic("sales.orders", owner=sales)
    )
    return Scene(
        event_type=event_type,
        base=factories.make_version("1.0.0", event_type=event_type, document=BASE),
        proposer=factories.make_person("tomas", team=sales),
        owner=factories.make_person("omar", role=roles.REVIEWER, team=sales),
        reviewer=factories.make_person("jonas", role=roles.REVIEWER, team=platform),
        admin=factories.make_person("ines", role=roles.ADMIN, team=platform),
        citizen=factories.make_person("charlie", team=factories.make_team("care")),
        now=timezone.now(),
    )
