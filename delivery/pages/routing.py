"""Routing rules: the list in their order, one with its versions, and proposing a change of one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from catalog.models import EventType, Topic
from catalog.requests import PortalRequest
from delivery import routing_rules, rule_proposals, rule_words
from delivery.models import RoutingRule
from delivery.rule_forms import RuleForm
from governance import access, change_forms, reviews
from governance.actions import Action
from governance.models import ChangeRequest, LedgerEntry
from governance.states import ChangeKind, ChangeState

MOST_RULES = 300  # on one page; a topic has at most a hundred in an environment
ENTRIES = 15


def _seen(request: PortalRequest) -> QuerySet[RoutingRule]:
    return access.restrict(routing_rules.with_names(), request.user, Action.ROUTING_RULE_VIEW)


@login_required
def rule_list(request: PortalRequest) -> HttpResponse:
    """List the rules of this environment, topic by topic, in the order in which they are asked."""
    access.require(request.user, Action.ROUTING_RULE_VIEW)
    rules = _seen(request).filter(environment=request.environment)
    topic = _topic(request, request.GET.get("topic", ""))
    if topic is not None:
        rules = rules.filter(topic=topic)
    found = list(rules[:MOST_RULES])
    titles = _titles(found)
    context = {
        "rows": [
            (rule, rule_words.sentence(rule, titles), rule_words.warning(rule)) for rule in found
        ],
        "topic": topic,
        "waiting": _waiting(request, topic),
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE, topic),
    }
    return render(request, "delivery/rule_list.html", context)


@login_required
def rule_detail(request: PortalRequest, number: int) -> HttpResponse:
    """Show a rule in plain words, how often it decided, and who changed it when and why."""
    rule = get_object_or_404(_seen(request), number=number)
    entries = access.restrict(
        LedgerEntry.objects.about(rule), request.user, Action.LEDGER_VIEW
    ).order_by("-number")
    context = {
        "rule": rule,
        "sentence": rule_words.sentence(rule, _titles([rule])),
        "warning": rule_words.warning(rule),
        "entries": entries[:ENTRIES],
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE, rule.topic),
    }
    return render(request, "delivery/rule_detail.html", context)


@login_required
def rule_new(request: PortalRequest) -> HttpResponse:
    """Propose a rule, or another version of the one that the address names."""
    access.require(request.user, Action.CHANGE_PROPOSE)
    rule = None
    if request.GET.get("rule", "").isdecimal():
        rule = get_object_or_404(_seen(request), number=int(request.GET["rule"][:18]))
        access.require(request.user, Action.CHANGE_PROPOSE, rule.topic)
    topic = rule.topic if rule else _topic(request, request.GET.get("topic", ""))
    form = RuleForm(request.POST or None, user=request.user, initial=_initial(request, rule, topic))
    if rule is not None:
        del form.fields["topic"]
    if request.method == "POST" and form.is_valid():
        made = _propose(request, form, rule.topic if rule else form.cleaned_data["topic"])
        if made is not None:
            return redirect("governance:change-request-detail", made.number)
    context = {"form": form, "rule": rule, "topic": topic}
    return render(request, "delivery/rule_form.html", context)


def _topic(request: PortalRequest, name: str) -> Topic | None:
    seen = access.restrict(Topic.objects.all(), request.user, Action.TOPIC_VIEW)
    return seen.filter(name=name).first() if name else None


def _initial(
    request: PortalRequest, rule: RoutingRule | None, topic: Topic | None
) -> dict[str, Any]:
    if rule is not None:
        return {**rule_proposals.of_rule(rule), "topic": rule.topic}
    environment = request.environment
    position = rule_proposals.free_position(topic, environment) if topic else rule_proposals.STEP
    return {"topic": topic, "environment": environment, "position": position, "is_active": True}


def _propose(request: PortalRequest, form: RuleForm, topic: Topic) -> ChangeRequest | None:
    """Write the draft, and open it unless it shall stay one; None with the form's errors."""
    now = timezone.now()
    try:
        made = reviews.propose(
            ChangeKind.ROUTING_RULE,
            topic=topic,
            reason=form.cleaned_data["reason"],
            proposal=form.proposal(),
            by=request.user,
            now=now,
        )
        if "draft" not in request.POST:
            made = reviews.open_(made, by=request.user, now=now)
    except ValidationError as error:
        change_forms.put_errors(form, error)
        return None
    return made


def _titles(rules: list[RoutingRule]) -> dict[str, str]:
    names = {name for rule in rules for name in rule.event_types}
    return dict(EventType.objects.filter(name__in=names).values_list("name", "title"))


def _waiting(request: PortalRequest, topic: Topic | None) -> list[ChangeRequest]:
    """Return the changes of rules that are under review."""
    seen = access.restrict(ChangeRequest.objects.all(), request.user, Action.CHANGE_VIEW)
    states = (ChangeState.OPEN, ChangeState.APPROVED, ChangeState.CHANGES_REQUESTED)
    found = seen.filter(kind=ChangeKind.ROUTING_RULE, state__in=states)
    if topic is not None:
        found = found.filter(topic=topic)
    return list(found.select_related("topic", "proposed_by").order_by("-number")[:20])
