"""Ensures the roles after each migration, and stores key uses after requests."""

from __future__ import annotations

import time

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.core.signals import request_finished
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from governance import keys, roles

_next_write = 0.0


@receiver(post_migrate, dispatch_uid="governance.ensure_roles")
def ensure_roles(sender: AppConfig, using: str, **_: object) -> None:
    """Make the role groups hold the permissions of this app that the table names.

    Safe to repeat; what was added by hand stays.
    """
    wanted = {
        permission.split(".", 1)[1]: holders
        for permission, holders in roles.HOLDERS.items()
        if permission.split(".", 1)[0] == sender.label
    }
    if not wanted or Group._meta.db_table not in connections[using].introspection.table_names():
        return
    create_permissions(sender, verbosity=0, using=using)
    groups = {role: Group.objects.using(using).get_or_create(name=role)[0] for role in roles.ROLES}
    permissions = Permission.objects.using(using).filter(
        content_type__app_label=sender.label, codename__in=wanted
    )
    held = Group.permissions.through
    held.objects.using(using).bulk_create(
        [
            held(group=groups[role], permission=permission)
            for permission in permissions
            for role in wanted[permission.codename]
        ],
        ignore_conflicts=True,
    )


@receiver(request_finished, dispatch_uid="governance.write_key_uses")
def write_key_uses(**_: object) -> None:
    """Store when keys were last used, at most once a minute and after the answer has gone out."""
    global _next_write  # noqa: PLW0603 - one clock a process is the point
    if time.monotonic() >= _next_write:
        _next_write = time.monotonic() + keys.USES_WRITTEN_EVERY.total_seconds()
        keys.write_uses()
