"""The Django admin as a whole: who comes in, by which door, and how its first page is ordered."""

from __future__ import annotations

from typing import Any, cast

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import history
from catalog.models import User
from catalog.words import UserKind
from governance.models import LedgerEntry

ORDER = ("catalog", "governance", "delivery")
HOME = "governance"  # of what other people's apps keep
NEWS = 10  # of one's own latest deeds beside the list of models


class SignalboxAdminSite(admin.AdminSite):
    """The site behind `/admin/`; people sign in by the portal's own page."""

    site_title = gettext_lazy("Signalbox")
    site_header = gettext_lazy("Signalbox")
    index_title = gettext_lazy("Administration")
    index_template = "admin/guarded/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let people in who are staff: the Admin and Support roles make them so."""
        user = request.user
        return super().has_permission(request) and cast(User, user).kind == UserKind.PERSON

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send strangers to the portal's sign-in and back; tell others that this is not theirs."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(_("The administration is for admins and support."))
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(wanted, reverse("governance:sign-in"))

    def password_change(  # type: ignore[override]  # a redirect, not a page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send people to the portal's page: its verb leaves a ledger entry."""
        return redirect("governance:password-change")

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what there is, and what the viewer did last."""
        news = LedgerEntry.objects.filter(actor_id=request.user.pk)[:NEWS]
        return super().index(request, {**(extra_context or {}), "news": news})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models by app; historical rows last, in a group of their own."""
        listed = super().get_app_list(request, app_label)
        if app_label is not None:
            return listed
        snapshots = _snapshot_models()
        groups: dict[str, Any] = {one["app_label"]: one for one in listed}
        models = {label: list(one["models"]) for label, one in groups.items()}
        old = [one for label in models for one in models[label] if one["model"] in snapshots]
        for label in models.keys() - set(ORDER):
            # Groups and sign-ins are governance to the people who read this.
            models.setdefault(HOME, []).extend(models.pop(label))
        found = [
            {**groups[label], "models": [one for one in models[label] if one not in old]}
            for label in ORDER
            if label in groups
        ]
        return [*found, _history(old)] if old else found


def _history(models: list[Any]) -> dict[str, Any]:
    return {
        "name": _("History"),
        "app_label": "history",
        "app_url": reverse("admin:governance_ledgerentry_changelist"),
        "has_module_perms": True,
        "models": models,
    }


def _snapshot_models() -> set[Any]:
    return {
        model.history.model  # type: ignore[attr-defined]  # `is_tracked` says so
        for model in apps.get_models()
        if history.is_tracked(model)
    }
