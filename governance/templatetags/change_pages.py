"""Words for the pages of a change request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from django import template
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from catalog.house_rules import HouseRule, Weight
from catalog.models import EventType, Topic
from catalog.templatetags.ui_marks import tone_lamp, tone_status
from governance import emergencies, house_rules
from governance.contract_impact import Effect
from governance.contract_usage import Freshness
from governance.lint import Source
from governance.models import ChangeRequest, CheckResult
from governance.pages.contract_editor import Editor
from governance.previews import Preview
from governance.states import ChangeKind, Outcome, Verdict

register = template.Library()

EFFECTS = {
    Effect.BREAKS: ("bad", "x-mark", _lazy("Breaks")),
    Effect.LOOK: ("warn", "question-mark-circle", _lazy("Look")),
    Effect.GAINS: ("good", "check", _lazy("Gains")),
    Effect.UNTOUCHED: ("good", "check", _lazy("Untouched")),
}

FRESHNESS = {
    Freshness.ACTIVE: ("good", "bolt"),
    Freshness.STALE: ("warn", "clock"),
    Freshness.DEAD: ("idle", "minus-circle"),
}

WEIGHTS = {
    Weight.ERROR: ("bad", "x-mark"),
    Weight.ADVICE: ("info", "information-circle"),
    Weight.OFF: ("idle", "minus-circle"),
}

PANELS = frozenset(
    {"compatibility", "impact", "traffic", "promises", "rule_changes", "rule_dry_run", "usage"}
)

LAMPS = {
    Outcome.PASSED: ("good", "check"),
    Outcome.ADVICE: ("info", "information-circle"),
    Outcome.UNDECIDED: ("warn", "question-mark-circle"),
    Outcome.FAILED: ("bad", "x-mark"),
}


@register.simple_tag
def check_lamp(outcome: str) -> SafeString:
    """Mark a check with how it ended; the sentence beside it says it in words."""
    return tone_lamp(*LAMPS[Outcome(outcome)])


@register.filter
def has_more_to_show(result: CheckResult) -> bool:
    """Tell whether a check found something that only the list of checks shows."""
    return result.check_name not in PANELS and any(
        finding.get("message") for finding in result.findings
    )


@register.filter
def check_title(name: str) -> str:
    """Return a check's name as people say it."""
    return name.replace("_", " ").replace("-", " ").capitalize()


@register.simple_tag
def rule_weight(weight: str, source: str) -> SafeString:
    """Say what breaking a house rule means, and by whose word."""
    return tone_status(*WEIGHTS[Weight(weight)], house_rules.in_words(weight, source))


@register.simple_tag
def own_rules(topic: Topic) -> SafeString:
    """List what rules weigh in a topic that has weights of its own."""
    named = [(rule, topic.house_rules[rule]) for rule in HouseRule if rule in topic.house_rules]
    rows = ((rule.label, rule_weight(weight, Source.TOPIC)) for rule, weight in named)
    return format_html_join("", "<p>{}: {}</p>", rows)


@register.simple_tag
def verdict_of(change: ChangeRequest, results: Sequence[CheckResult]) -> dict[str, object]:
    """Return tone, sentence, what explains it, and figures of the verdict on top of the page."""
    if change.kind == ChangeKind.ROUTING_RULE:
        return _of_rule(results)
    found = [f for r in results if r.check_name == "compatibility" for f in r.findings]
    counts = {
        severity: sum(f.get("severity") == severity for f in found)
        for severity in ("breaking", "undecided", "safe")
    }
    touching = [
        r.summary
        for r in results
        if r.check_name in {"impact", "traffic"} and r.outcome != Outcome.PASSED
    ]
    tone = {
        Verdict.INCOMPATIBLE: "bad",
        Verdict.UNDECIDED: "warn",
        Verdict.COMPATIBLE: "good",
    }.get(Verdict(change.verdict) if change.verdict else Verdict.COMPATIBLE, "info")
    if touching and tone == "good":
        tone = "warn"
    told = {
        "bad": _("This breaks those who use the version of today."),
        "warn": _("A person must look: not everything could be decided, or a check failed."),
        "good": _("This breaks nobody."),
    }[tone]
    summary = next((r.summary for r in results if r.check_name == "compatibility"), "")
    figures = [
        (_("Breaking"), counts["breaking"]),
        (_("Undecided"), counts["undecided"]),
        (_("Safe"), counts["safe"]),
    ]
    said = summary if tone == "bad" and summary else told
    # Whom it hits comes first; what the comparison found explains it.
    if tone == "bad" and touching:
        sentence, because = " ".join(touching), said
    else:
        sentence, because = " ".join([said, *touching]), ""
    return {
        "tone": tone,
        "sentence": sentence,
        "because": because,
        "figures": figures if found else [],
    }


@register.simple_tag
def staging_figures(result: CheckResult) -> list[dict[str, object]]:
    """Return what staging took, refused and delivered of a version, none before it took any."""
    facts = result.findings[0] if result.findings else {}
    names = {
        "events": _("Accepted in staging"),
        "refused": _("Refused in staging"),
        "delivered": _("Delivered in staging"),
        "dead": _("Died in staging"),
    }
    has_seen = any(facts.get(key) for key in names)
    return [{"name": name, "figure": facts.get(key, 0)} for key, name in names.items() if has_seen]


def _of_rule(results: Sequence[CheckResult]) -> dict[str, object]:
    """Return what a routing rule would do, as its checks say it."""
    told = {row.check_name: row for row in results}
    shown = [told[name] for name in ("rule_changes", "rule_dry_run") if name in told]
    outcomes = {row.outcome for row in results}
    tone = "bad" if Outcome.FAILED in outcomes else "info"
    failed = [row.summary for row in results if row.outcome == Outcome.FAILED]
    sentence = " ".join(failed or [row.summary for row in shown])
    counts = told["rule_dry_run"].findings[:1] if "rule_dry_run" in told else []
    figures = (
        [
            (_("Events looked at"), counts[0].get("total", 0)),
            (_("Matched"), counts[0].get("matched", 0)),
            (_("Go another way"), counts[0].get("changed", 0)),
        ]
        if counts
        else []
    )
    return {"tone": tone, "sentence": sentence, "because": "", "figures": figures}


@register.simple_tag
def told_value(value: object) -> str:
    """Return a value of a proposal as people read it."""
    if value in ("", None, [], {}):
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


@register.simple_tag
def preview_verdict(told: Preview, editor: Editor) -> dict[str, str]:
    """Return tone, icon, word and sentence of what can be said while someone types."""
    if editor.problems or told.faults:
        return {
            "tone": "warn",
            "icon": "pencil",
            "word": _("Not finished"),
            "sentence": _("Something is to mend before it can be reviewed."),
        }
    tone, icon, word = {
        Verdict.INCOMPATIBLE: ("bad", "x-mark", _("Breaking")),
        Verdict.UNDECIDED: ("warn", "question-mark-circle", _("Undecided")),
        Verdict.COMPATIBLE: ("good", "check", _("Safe")),
    }[Verdict(told.verdict)]
    sentence = told.sentence or _("Nothing is live yet that it could break.")
    return {"tone": tone, "icon": icon, "word": word, "sentence": sentence}


@register.simple_tag
def effect_mark(effect: str) -> SafeString:
    """Say what a change means for one subscriber."""
    tone, icon_name, word = EFFECTS[Effect(effect)]
    return tone_status(tone, icon_name, str(word))


@register.simple_tag
def emergencies_of(event_type: EventType) -> dict[str, ChangeRequest]:
    """Return the emergency changes of a type by version."""
    return emergencies.of(event_type)


@register.filter
def of_number(found: Mapping[str, ChangeRequest], number: str) -> ChangeRequest | None:
    """Return the emergency change of a version, None for most."""
    return found.get(number)


@register.filter
def instant(text: str) -> datetime | None:
    """Read an instant that a check result keeps as text."""
    return parse_datetime(text)


@register.filter
def said(value: object) -> str:
    """Say a value of a promise as people do."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or _("none")
    return _("none") if value in ("", None) else str(value)


@register.simple_tag
def freshness_mark(freshness: str) -> SafeString:
    """Say how lately a version was used."""
    known = Freshness(freshness)
    return tone_status(*FRESHNESS[known], str(known.label))
