"""Regions, domains and topics in the Django admin."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import GuardedAdmin, GuardedInline, guarded, only, to_list
from catalog.house_rule_forms import WeightsField
from catalog.models import Domain, Region, Topic, User
from governance import topics
from governance.actions import Action
from governance.models import Grant, TopicGroupPermission, TopicUserPermission


@guarded(Region)
class RegionAdmin(GuardedAdmin):
    """Regions are an installation's setting: shown, not changed."""

    view_action = Action.TOPIC_VIEW
    list_display = ("code", "name")
    search_fields = ("code", "name")


@guarded(Domain)
class DomainAdmin(GuardedAdmin):
    """Business areas."""

    view_action = Action.TOPIC_VIEW
    add_action = Action.DOMAIN_CREATE
    change_action = Action.DOMAIN_CHANGE
    fields_to_add = ("slug", "name", "owner", "description")
    fields_to_change = ("name", "owner", "description")
    shown = ("slug", "name", "owner", "description")
    list_display = ("name", "slug", "owner")
    list_filter = ("owner",)
    list_select_related = ("owner",)
    search_fields = ("name", "slug", "description")
    autocomplete_fields = ("owner",)

    def write(
        self,
        obj: Domain | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> Domain:
        if obj is None:
            return topics.create_domain(by=by, now=now, **values)
        return topics.change_domain(obj, by=by, now=now, **only(values, changed))

    def portal_url(self, obj: Domain) -> str:
        return reverse("catalog:domain-detail", args=[obj.slug])


class TopicUserInline(GuardedInline):
    """What guardian lets service accounts do with the topic; grants put it in force."""

    model = TopicUserPermission
    fk_name = "content_object"
    view_action = Action.GRANT_VIEW
    shown = ("user", "permission")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user", "permission__content_type")


class TopicGroupInline(GuardedInline):
    """What guardian lets teams do with the topic; grants put it in force."""

    model = TopicGroupPermission
    fk_name = "content_object"
    view_action = Action.GRANT_VIEW
    shown = ("group", "permission")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("group", "permission__content_type")


class TopicForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A topic's promises; regions are picked, not typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "regions" in self.fields:
            old = self.fields["regions"]
            self.fields["regions"] = forms.MultipleChoiceField(
                label=old.label,
                help_text=old.help_text,
                required=False,
                choices=[(one.code, one.name) for one in Region.objects.all()],
                widget=forms.CheckboxSelectMultiple,
            )
        if "house_rules" in self.fields:
            self.fields["house_rules"] = WeightsField()


@guarded(Topic)
class TopicAdmin(GuardedAdmin):
    """Topics, and whom guardian lets do what with them."""

    view_action = Action.TOPIC_VIEW
    add_action = Action.TOPIC_CREATE
    change_action = Action.TOPIC_CHANGE
    form = TopicForm
    fields_to_change = topics.TOPIC_FIELDS
    fields_to_add = ("name", "domain", *fields_to_change)
    shown = ("name", "domain", *fields_to_change, "created_at", "grants")
    list_display = ("name", "title", "domain", "owner", "kind", "is_restricted", "criticality")
    list_filter = ("domain", "owner", "kind", "criticality", "is_restricted")
    list_select_related = ("domain", "owner")
    search_fields = ("name", "title", "description")
    autocomplete_fields = ("domain", "owner")
    inlines = (TopicUserInline, TopicGroupInline)

    def write(
        self,
        obj: Topic | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> Topic:
        if obj is None:
            return topics.create(by=by, now=now, **values)
        return topics.change(obj, by=by, now=now, **only(values, changed))

    def portal_url(self, obj: Topic) -> str:
        return reverse("catalog:topic-detail", args=[obj.name])

    @admin.display(description=_("grants"))
    def grants(self, topic: Topic) -> str:
        return to_list(Grant, _("Grants of this topic"), topic__id__exact=topic.pk)
