"""What delivery knows of an application, for its page in the catalog."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from catalog.models import Application
from catalog.templatetags.ui import component
from delivery.models import Subscription
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
