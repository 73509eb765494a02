"""Routing rules and filters in plain sentences, for pages and reviews."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from delivery import rule_parties
from delivery.models import RoutingRule
from delivery.states import RuleAction

_LONGEST_VALUE = 80


def sentence(rule: RoutingRule, titles: Mapping[str, str] | None = None) -> str:
    """Return what a rule does; `titles` are what people call its event types."""
    return f"{_which(rule, titles or {})} {_what_happens(rule)}"


def warning(rule: RoutingRule) -> str:
    """Return what keeps a rule from sending, "" where nothing does; loads nothing more."""
    target, application = rule.to_subscription, rule.to_application
    is_gone = (target is not None and target.ended_at is not None) or (
        application is not None and not application.is_active
    )
    if not rule.is_active or not is_gone:
        return ""
    return _("Where it sends has ended: it takes events away and brings them to nobody.")


def filter_in_words(document: object) -> str:
    """Return which events a filter lets pass, to stand after “where”; "" for all of them."""
    if isinstance(document, list):
        return _joined(document, _(" and ")) if document else ""
    if not isinstance(document, dict) or not document:
        return ""
    ((dialect, body),) = document.items()
    match dialect:
        case "all" | "any":
            return _joined(body, _(" and ") if dialect == "all" else _(" or "))
        case "not":
            return _("not (%s)") % filter_in_words(body)
        case "jmespath":
            return _condition(body)
    verb = {"exact": _("is"), "prefix": _("starts with"), "suffix": _("ends with")}[dialect]
    return _(" and ").join(f"{name} {verb} {_quoted(text)}" for name, text in body.items())


def _joined(documents: list[object], word: str) -> str:
    parts = [filter_in_words(one) for one in documents]
    return parts[0] if len(parts) == 1 else "(" + word.join(parts) + ")"


def _condition(text: str) -> str:
    return _("the data fulfils %s") % _quoted(text)


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + '…'}”"


def _which(rule: RoutingRule, titles: Mapping[str, str]) -> str:
    names = [titles.get(name, name) for name in rule.event_types]
    which = _("Every %s event") % _(" or ").join(names) if names else _("Every event")
    if rule.regions:
        which += " " + _("bound to %s") % _(" or ").join(one.upper() for one in rule.regions)
    wheres = [filter_in_words(rule.filter)]
    wheres += [_condition(rule.condition)] if rule.condition else []
    where = _(" and ").join(one for one in wheres if one)
    return which + (" " + _("where %s") % where if where else "")


def _what_happens(rule: RoutingRule) -> str:  # noqa: PLR0911 - one an action
    whom = rule_parties.in_words(rule.concerns_application, rule.concerns_subscription)
    words = {
        "whom": whom,
        "target": rule_parties.in_words(rule.to_application, rule.to_subscription),
    }
    match RuleAction(rule.action):
        case RuleAction.ALLOW if whom:
            return _("goes to %(whom)s as asked for, whatever later rules say.") % words
        case RuleAction.ALLOW:
            return _("goes to whoever asked for it, whatever later rules say.")
        case RuleAction.DENY if whom:
            return _("does not go to %(whom)s.") % words
        case RuleAction.DENY:
            return _("goes to nobody.")
        case RuleAction.SEND_ALSO:
            return _("goes to %(target)s as well.") % words
        case RuleAction.SEND_INSTEAD if whom:
            return _("goes to %(target)s in place of %(whom)s.") % words
    return _("goes to %(target)s and to nobody else.") % words
