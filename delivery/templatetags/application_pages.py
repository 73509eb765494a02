"""What delivery knows of an application, for its page in the catalog."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from catalog.models import Application
from catalog.templatetags.ui import component
from delivery.models import Adapter, Subscription
from governance import access
from governance.actions import Action

register = template.Library()


@register.simple_tag(takes_context=True)
def application_subscriptions(context: template.Context, application: Application) -> SafeString:
    """Draw what the application receives in the environment that is shown."""
    request = context["request"]
    seen = access.restrict(
        Subscription.objects.standing().filter(
            application=application, environment=request.environment
        ),
        request.user,
        Action.SUBSCRIPTION_VIEW,
    )
    return component(
        "subscription_table", subscriptions=list(seen.with_names()), application=application
    )


@register.simple_tag(takes_context=True)
def application_adapters(context: template.Context, application: Application) -> SafeString:
    """Draw the addresses at which builders publish for the application, to those who may see."""
    user = context["request"].user
    seen = access.restrict(
        Adapter.objects.filter(application=application, is_active=True), user, Action.ADAPTER_VIEW
    )
    return component(
        "adapter_list",
        adapters=list(seen.select_related("event_type")),
        application=application,
        may_make=access.allows(user, Action.ADAPTER_CREATE, application),
    )
