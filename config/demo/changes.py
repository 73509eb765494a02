"""The demo's change requests: released, ended, converted, hurried, and left waiting for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from catalog.models import EventType, SchemaVersion, Topic, User
from catalog.words import Environment
from config.demo import content
from delivery.models import Subscription
from governance import reviews
from governance.models import ChangeRequest
from governance.states import ChangeKind, ChangeState

SUNSET_IN = timedelta(days=6)  # so near that everybody who uses the version is reminded


class Desk:
    """Takes proposals of the demo's people through their reviews."""

    def __init__(self, *, people: Mapping[str, User], now: datetime) -> None:
        self._people = people
        self._now = now

    def contracts(self) -> None:
        """Propose, approve, apply and promote every version, and deprecate the oldest order."""
        for contract in content.CONTRACTS:
            for index in range(len(contract.versions)):
                self._release(contract, index)
        old, new = self._version(0, "0.9.0"), self._version(0, "1.0.0")
        for environment in Environment.values:
            self._carry_out(
                self._propose(
                    ChangeKind.DEPRECATION,
                    base=old,
                    title=f"Order placed 0.9.0 ends in {environment}",
                    reason="It has no currency; everybody can use 1.0.0.",
                    proposal={
                        "environment": environment,
                        "sunset_at": (self._now + SUNSET_IN).isoformat(),
                        "replacement": new.version,
                    },
                )
            )

    def others(self) -> None:
        """Convert for who pinned a version, route, hurry one change, and leave two waiting."""
        self._convert()
        self._route()
        self._hurry()
        self._ask_for_promotion()
        self._break()

    def _release(self, contract: content.Contract, index: int) -> None:
        """Carry out the version's request and the one that promotes it."""
        number, schema, sample, changes = contract.versions[index]
        kind = ChangeKind.SCHEMA_VERSION if index else ChangeKind.NEW_EVENT_TYPE
        proposal: dict[str, Any] = {
            "version": number,
            "document": json.dumps(schema, indent=2, ensure_ascii=False),
            "example": json.dumps(sample, indent=2, ensure_ascii=False),
            "changes": changes,
        }
        if kind == ChangeKind.NEW_EVENT_TYPE:
            proposal |= {
                "name": contract.name,
                "title": contract.title,
                "description": contract.description,
                "happens_when": contract.happens_when,
                "tags": list(contract.tags),
            }
        self._carry_out(
            self._propose(
                kind,
                topic=Topic.objects.get(name=contract.topic),
                event_type=EventType.objects.filter(name=contract.name).first(),
                title=f"{contract.title} {number}",
                reason=changes,
                proposal=proposal,
            )
        )
        version = SchemaVersion.objects.get(event_type__name=contract.name, version=number)
        self._carry_out(self._promotion(version, "Staging has run clean."))

    def _convert(self) -> None:
        """Let who stays with orders of 1.x receive what is published as 2.x."""
        self._carry_out(
            self._propose(
                ChangeKind.TRANSLATION,
                event_type=EventType.objects.get(name=content.CONTRACTS[0].name),
                reason="The CRM reads 1.x until it is renewed in spring.",
                proposal=content.ORDER_CONVERSION,
            )
        )

    def _route(self) -> None:
        """Send cancelled orders to the flow that packs them."""
        flow = Subscription.objects.get(name="Fulfilment flow")
        self._carry_out(
            self._propose(
                ChangeKind.ROUTING_RULE,
                topic=flow.topic,
                reason="What is cancelled must not be packed; the flow asked for new orders only.",
                proposal={**content.STOP_THE_PARCEL, "sends_to": f"subscription:{flow.number}"},
                by=self._people["admin"],
            )
        )

    def _hurry(self) -> None:
        """Make one change without a review, as an admin may in an emergency."""
        change = self._propose(
            ChangeKind.SCHEMA_VERSION,
            event_type=EventType.objects.get(name=content.CONTRACTS[-1].name),
            title="Withdrawn consents have a time",
            reason="Who took the consent back must not be written to.",
            proposal=content.CUSTOMER_EMERGENCY,
        )
        reviews.emergency(
            change,
            by=self._people["admin"],
            reason="The authority wants to see it tonight; no reviewer is in.",
            now=self._now,
        )

    def _ask_for_promotion(self) -> None:
        """Leave what was hurried into staging waiting for production."""
        version = self._version(-1, content.CUSTOMER_EMERGENCY["version"])
        self._open(self._promotion(version, "Staging takes it since the emergency."))

    def _break(self) -> None:
        """Leave a breaking change in review, for reviewers and for the subscribers it breaks."""
        self._open(
            self._propose(
                ChangeKind.SCHEMA_VERSION,
                base=self._version(0, "1.0.0"),
                title="Billing country on every order",
                reason="Tax needs the country of each order; the e-mail moves to Customer updated.",
                proposal=content.ORDER_WAITS,
            )
        )

    def _version(self, contract: int, number: str) -> SchemaVersion:
        return SchemaVersion.objects.select_related("event_type__topic").get(
            event_type__name=content.CONTRACTS[contract].name, version=number
        )

    def _promotion(self, version: SchemaVersion, reason: str) -> ChangeRequest:
        return self._propose(
            ChangeKind.PROMOTION,
            base=version,
            title=f"{version.event_type.title} {version.version} to production",
            reason=reason,
            proposal={"environment": Environment.PRODUCTION},
        )

    def _propose(self, kind: str, *, by: User | None = None, **what: Any) -> ChangeRequest:
        """Write a proposal, the producer's unless `by` says whose."""
        return reviews.propose(kind, by=by or self._people["producer"], now=self._now, **what)

    def _open(self, change: ChangeRequest) -> ChangeRequest:
        return reviews.open_(change, by=change.proposed_by, now=self._now)

    def _carry_out(self, change: ChangeRequest) -> None:
        """Open, approve (twice where it breaks) and apply a change request."""
        change = self._open(change)
        for reviewer in ("owner", "reviewer"):
            change.refresh_from_db()
            if change.state == ChangeState.OPEN:
                by = self._people[reviewer]
                reviews.approve(change, by=by, note="Reads well.", now=self._now)
        change.refresh_from_db()
        reviews.apply(change, by=self._people["reviewer"], now=self._now)
