"""The tabs of pages whose thing has a dashboard."""

from __future__ import annotations

from django import template
from django.db.models import Model
from django.utils.safestring import SafeString

from catalog.templatetags.ui import component
from delivery.pages import dashboards
from governance import access
from governance.actions import Action

register = template.Library()


@register.simple_tag(takes_context=True)
def dashboard_tabs(context: template.Context, thing: Model, current: str) -> SafeString | str:
    """Draw `{% dashboard_tabs topic "detail" %}` for those who may see its traffic."""
    if not access.allows(context["request"].user, Action.TRAFFIC_VIEW, thing):
        return ""
    return component("tabs", items=dashboards.tabs(thing, current=current), label=str(thing))
