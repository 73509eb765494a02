"""The app of what ties the others together."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class ConfigConfig(AppConfig):
    """Makes our Celery app the current one, so that `task.delay()` finds its broker anywhere."""

    name = "config"
    verbose_name = _("Config")

    def ready(self) -> None:
        """Load the Celery app once Django's apps stand."""
        from config import celery  # noqa: F401, PLC0415 - settings must be complete first


class SignalboxAdminConfig(admin_apps.AdminConfig):
    """The Django admin with our site: its own door, its own order."""

    default = False
    default_site = "catalog.admin_site.SignalboxAdminSite"
