"""What a request of kind `routing_rule` proposes: a rule, the next version of one, its end."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import EventType, Region, Topic, User
from catalog.words import Environment
from delivery import expressions, filters, rule_parties
from delivery.models import RoutingRule
from delivery.models.routing import SENDING
from delivery.states import RuleAction
from governance import access, canonical, proposals
from governance.actions import Action
from governance.proposals import Proposal, at
from governance.states import ChangeKind

MAX_NAME_CHARACTERS = 120
MAX_POSITION = 100_000
MAX_LIST_ITEMS = 100
STEP = 10  # between the positions of neighbours, so that one fits in between


@proposals.kind(ChangeKind.ROUTING_RULE)
@dataclass(frozen=True, kw_only=True)
class RuleProposal(Proposal):
    """A rule as it shall be; `rule` is the number of the one that changes, None makes a new one.

    `rule_version` is the version that it had when this was written: another one in the meantime is
    a conflict. `concerns` and `sends_to` are written as `delivery.rule_parties` says.
    """

    rule: int | None = None
    rule_version: int | None = None
    name: str = ""
    environment: str = Environment.PRODUCTION
    position: int = 100
    is_active: bool = True
    action: str = RuleAction.DENY
    event_types: Sequence[str] = ()
    regions: Sequence[str] = ()
    filter: Mapping[str, object] | Sequence[object] = field(default_factory=dict)
    condition: str = ""
    concerns: str = ""
    sends_to: str = ""

    @classmethod
    def taken(cls, name: str, value: Any) -> Any:
        if name == "filter" and value is None:
            return {}
        return value.strip() if isinstance(value, str) else value

    def problems(self) -> Iterator[ValidationError]:
        yield from self._of_wrong_kind()
        if any(True for _one in self._of_wrong_kind()):
            return
        if not 1 <= len(self.name) <= MAX_NAME_CHARACTERS:
            yield at(_("Give it a name that says what it is for."), "/name")
        if not 0 <= self.position <= MAX_POSITION:
            yield at(_("A position is a number from 0 to %d.") % MAX_POSITION, "/position")
        if self.environment not in Environment.values:
            yield at(_("Use one of %s.") % ", ".join(Environment.values), "/environment")
        if self.action not in RuleAction.values:
            yield at(_("Use one of %s.") % ", ".join(RuleAction.values), "/action")
        yield from self._filter_problems()
        yield from self._party_problems()

    def misfits(
        self, event_type: EventType | None, *, topic: Topic, by: User
    ) -> Iterator[ValidationError]:
        del event_type
        yield from self.unknown_names(topic)
        if self.rule is not None and self.standing(topic) is None:
            yield at(_("There is no such rule of this topic and environment."), "/rule")
        for pointer, text in (("/concerns", self.concerns), ("/sends_to", self.sends_to)):
            if not self.is_visible(text, topic=topic, by=by):
                yield at(_("There is no such subscriber of this topic and environment."), pointer)

    def completed(self, *, topic: Topic) -> Self:
        standing = self.standing(topic)
        return replace(self, rule_version=standing.version if standing else None)

    def heading(self, event_type: EventType | None) -> str:
        del event_type
        if self.rule is None:
            return _("New routing rule: %s") % self.name
        if not self.is_active:
            return _("Routing rule RR-%(number)s ends: %(name)s") % self._words()
        return _("Routing rule RR-%(number)s: %(name)s") % self._words()

    def for_ledger(self) -> dict[str, object]:
        values = {**asdict(self), **digests(self.filter, self.condition)}
        del values["filter"], values["condition"]
        return {name: value for name, value in values.items() if value not in ("", [], (), None)}

    def standing(self, topic: Topic) -> RoutingRule | None:
        """Return the rule that changes, as it is now; None for a new or an unknown one."""
        if self.rule is None:
            return None
        found = RoutingRule.objects.select_related(
            "concerns_application",
            "concerns_subscription__application",
            "to_application",
            "to_subscription__application",
        )
        return found.filter(number=self.rule, topic=topic, environment=self.environment).first()

    def is_visible(self, text: str, *, topic: Topic, by: User) -> bool:
        """Tell whether a text names somebody whom the person may see; everybody is always."""
        found = rule_parties.find(text, topic=topic, environment=self.environment)
        if found is None:
            return False
        if found.subscription is not None:
            return access.allows(by, Action.SUBSCRIPTION_VIEW, found.subscription)
        if found.application is not None:
            return access.allows(by, Action.APPLICATION_VIEW, found.application)
        return True

    def _words(self) -> dict[str, object]:
        return {"number": self.rule, "name": self.name}

    def _of_wrong_kind(self) -> Iterator[ValidationError]:
        """Yield the values that are not even of their type: they come from JSON."""
        for name in ("name", "environment", "action", "condition", "concerns", "sends_to"):
            if not isinstance(getattr(self, name), str):
                yield at(_("Give a text."), f"/{name}")
        for name in ("rule", "rule_version", "position"):
            value = getattr(self, name)
            if value is None and name != "position":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
                yield at(_("Give a whole number."), f"/{name}")
        if not isinstance(getattr(self, name := "is_active"), bool):
            yield at(_("Give true or false."), f"/{name}")
        for name in ("event_types", "regions"):
            values = getattr(self, name)
            is_list = isinstance(values, list | tuple) and len(values) <= MAX_LIST_ITEMS
            if not (is_list and all(isinstance(one, str) for one in values)):
                yield at(_("Give a list of at most %d texts.") % MAX_LIST_ITEMS, f"/{name}")

    def _filter_problems(self) -> Iterator[ValidationError]:
        try:
            stored = json.dumps(self.filter, ensure_ascii=False)
            stored.encode()
        except (UnicodeEncodeError, RecursionError):
            stored = "\\u0000"
        if "\\u0000" in stored:
            yield at(_("It holds a character that cannot be stored."), "/filter")
            return
        try:
            filters.compile(self.filter)
        except filters.InvalidFilter as error:
            yield at(error.message, f"/filter{error.pointer}")
        if self.condition:
            try:
                expressions.compile(
                    self.condition, max_characters=filters.MAX_EXPRESSION_CHARACTERS
                )
            except expressions.InvalidExpression as error:
                yield at(error, "/condition")

    def _party_problems(self) -> Iterator[ValidationError]:
        for name in ("concerns", "sends_to"):
            if not rule_parties.is_well_formed(getattr(self, name)):
                message = _("Write “application:short-name” or “subscription:number”.")
                yield at(message, f"/{name}")
        is_sending = self.action in SENDING
        if is_sending and not self.sends_to:
            yield at(_("Say where it sends the event."), "/sends_to")
        if not is_sending and self.sends_to:
            yield at(_("This kind of rule sends nothing anywhere: leave it empty."), "/sends_to")
        if self.action == RuleAction.SEND_ALSO and self.concerns:
            message = _("Sending also takes it from nobody: leave empty whom it concerns.")
            yield at(message, "/concerns")
        if self.concerns and self.concerns == self.sends_to:
            yield at(_("It would send the event back to where it takes it from."), "/sends_to")

    def unknown_names(self, topic: Topic) -> Iterator[ValidationError]:
        """Yield event types and regions that there are not."""
        known = set(EventType.objects.filter(topic=topic).values_list("name", flat=True))
        for name in self.event_types:
            if name not in known:
                yield at(
                    _("%(topic)s has no event type %(name)s.")
                    % {"topic": topic.name, "name": name},
                    "/event_types",
                )
        regions = set(Region.objects.values_list("code", flat=True))
        for code in self.regions:
            if code not in regions:
                yield at(_("There is no region %s here.") % code, "/regions")


def free_position(topic: Topic, environment: str) -> int:
    """Return a position behind every rule of the place."""
    last = (
        RoutingRule.objects.filter(topic=topic, environment=environment)
        .order_by("-position")
        .values_list("position", flat=True)
        .first()
    )
    return min((last or 0) + STEP, MAX_POSITION)


def digests(filter: object, condition: str) -> dict[str, object]:
    """Return what the ledger has of filter and condition, as for every document."""
    return {
        "filter_sha256": proposals.digest(canonical.encode(filter).decode()) if filter else "",
        "condition_sha256": proposals.digest(condition) if condition else "",
    }


def of_rule(rule: RoutingRule) -> dict[str, Any]:
    """Return a rule's values as a proposal names them."""
    return {
        "rule": rule.number,
        "rule_version": rule.version,
        "name": rule.name,
        "environment": rule.environment,
        "position": rule.position,
        "is_active": rule.is_active,
        "action": rule.action,
        "event_types": list(rule.event_types),
        "regions": list(rule.regions),
        "filter": rule.filter,
        "condition": rule.condition,
        "concerns": rule_parties.concerns(rule),
        "sends_to": rule_parties.sends_to(rule),
    }
