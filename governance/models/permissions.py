"""Guardian's object permissions on topics, by direct foreign keys: they go with their topic."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase


class TopicUserPermission(UserObjectPermissionBase):
    """What one person or service account may do with one topic."""

    content_object = models.ForeignKey("catalog.Topic", on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = _("topic permission of a user")
        verbose_name_plural = _("topic permissions of users")


class TopicGroupPermission(GroupObjectPermissionBase):
    """What one team may do with one topic."""

    content_object = models.ForeignKey("catalog.Topic", on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        verbose_name = _("topic permission of a team")
        verbose_name_plural = _("topic permissions of teams")
