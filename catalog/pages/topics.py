"""Pages of a topic and of a domain."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from catalog import collecting_words, lifecycle
from catalog.models import Domain, EventType, Topic
from catalog.requests import PortalRequest
from governance import access
from governance.actions import Action
from governance.models import Grant


@login_required
def topic_detail(request: PortalRequest, name: str) -> HttpResponse:
    """Show a topic's promises, its event types and who may use it."""
    seen = access.restrict(Topic.objects.all(), request.user, Action.TOPIC_VIEW)
    topic = get_object_or_404(seen.with_owners(), name=name)
    types = lifecycle.with_lifecycle(topic.event_types.all(), request.environment)
    grants = access.restrict(
        Grant.objects.filter(topic=topic, environment=request.environment, state="in_force"),
        request.user,
        Action.GRANT_VIEW,
    )
    context = {
        "topic": topic,
        "types": list(types.with_places()),
        "collects": collecting_words.tell(topic.collecting_rule, now=timezone.now()),
        "grants": grants.with_names().order_by("verb", "until")[:100],
        "environment": request.environment,
        "may_propose": access.allows(request.user, Action.CHANGE_PROPOSE, topic),
    }
    return render(request, "catalog/topic_detail.html", context)


@login_required
def domain_detail(request: PortalRequest, slug: str) -> HttpResponse:
    """Show a business area with its topics and their event types."""
    domain = get_object_or_404(Domain.objects.select_related("owner"), slug=slug)
    topics = access.restrict(domain.topics.all(), request.user, Action.TOPIC_VIEW)
    types = access.restrict(
        EventType.objects.filter(topic__domain=domain), request.user, Action.EVENT_TYPE_VIEW
    )
    context = {
        "domain": domain,
        "topics": list(topics.with_owners()),
        "types": list(lifecycle.with_lifecycle(types, request.environment).with_places()),
        "environment": request.environment,
    }
    return render(request, "catalog/domain_detail.html", context)
