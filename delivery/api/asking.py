"""For whom a request acts: a key for its own application, a person for one that they name."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.api.doors import Asking
from catalog.models import Application
from governance import access
from governance.actions import Action
from governance.models import ApiKey


def application_of(door: Asking, slug: str) -> Application:
    """Return the application that the request acts for.

    Raises ValidationError for a key that names another one, and for a person who names none that
    they may see.
    """
    key = door.request.auth
    if isinstance(key, ApiKey):
        if slug and slug != key.application.slug:
            raise ValidationError({"application": _("This key is another application's.")})
        return key.application
    if not slug:
        raise ValidationError({"application": _("Say which application this is for.")})
    seen = access.restrict(Application.objects.all(), door.person, Action.APPLICATION_VIEW)
    found = seen.select_related("service_account", "team", "region").filter(slug=slug).first()
    if found is None:
        raise ValidationError({"application": _("There is no such application.")})
    return found
