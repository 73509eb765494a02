"""The catalog in the Django admin: its forms call the verbs of `governance`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.contrib.auth import admin as auth_admin  # noqa: F401 - registers groups, see below
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import GuardedAdmin, GuardedInline, guarded, to_list
from catalog.models import (
    Application,
    Domain,
    EventType,
    Region,
    Release,
    SchemaVersion,
    Team,
    Topic,
    User,
)
from catalog.words import UserKind
from governance import applications, event_types, teams, topics
from governance.actions import Action
from governance.governed import governed
from governance.models import ApiKey, Grant, TopicGroupPermission, TopicUserPermission


def only(values: dict[str, Any], changed: list[str]) -> dict[str, Any]:
    """Return the values of the fields that a person changed."""
    return {name: values[name] for name in changed}


@guarded(Region)
class RegionAdmin(GuardedAdmin):
    """Regions are an installation's setting: shown, not changed."""

    view_action = Action.TOPIC_VIEW
    list_display = ("code", "name")
    search_fields = ("code", "name")


class People(FilteredSelectMultiple):
    """The stock picker in a box of its own: its script puts itself first where it stands."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html("<div>{}</div>", super().render(*args, **kwargs))


class MembersForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A team, with who is on it."""

    members = forms.ModelMultipleChoiceField(
        label=_("Members"),
        queryset=User.objects.filter(kind=UserKind.PERSON),
        required=False,
        widget=People(_("members"), is_stacked=False),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "members" in self.fields and not self.instance._state.adding:
            on_it = self.instance.group.user_set.filter(kind=UserKind.PERSON)
            self.initial["members"] = [one.pk for one in on_it]


@guarded(Team)
class TeamAdmin(GuardedAdmin):
    """Teams and their members."""

    view_action = Action.TOPIC_VIEW
    add_action = change_action = Action.TEAM_CHANGE
    form = MembersForm
    fields_to_add = ("slug", "name", "description", "email", "members")
    fields_to_change = ("name", "description", "email", "members")
    shown = ("slug", "name", "description", "email", "people", "owns")
    list_display = ("name", "slug", "email", "member_count")
    search_fields = ("name", "slug", "email")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).annotate(member_count=Count("group__user"))
        return cast("QuerySet[Any]", rows)

    def write(
        self,
        obj: Team | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> Team:
        wanted = set(values.pop("members", ()))
        with governed(by=by, now=now):
            if obj is None:
                obj = teams.create(by=by, now=now, **values)
            else:
                obj = teams.change(obj, by=by, now=now, **values)
            if "members" in changed:
                standing = set(obj.group.user_set.filter(kind=UserKind.PERSON))
                for person in wanted - standing:
                    teams.add_member(obj, person, by=by, now=now)
                for person in standing - wanted:
                    teams.remove_member(obj, person, by=by, now=now)
        return obj

    @admin.display(description=_("members and accounts"), ordering="member_count")
    def member_count(self, team: Any) -> int:
        return int(team.member_count)

    @admin.display(description=_("members"))
    def people(self, team: Team) -> str:
        found = team.group.user_set.filter(kind=UserKind.PERSON)
        return ", ".join(str(one) for one in found)

    @admin.display(description=_("owns"))
    def owns(self, team: Team) -> str:
        return to_list(Application, _("Applications"), team__id__exact=team.pk)


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


@guarded(Topic)
class TopicAdmin(GuardedAdmin):
    """Topics, and whom guardian lets do what with them."""

    view_action = Action.TOPIC_VIEW
    add_action = Action.TOPIC_CREATE
    change_action = Action.TOPIC_CHANGE
    form = TopicForm
    fields_to_change = (
        "title",
        "description",
        "owner",
        "kind",
        "batch_max_events",
        "batch_max_bytes",
        "batch_max_wait_seconds",
        "batch_times",
        "batch_time_zone",
        "is_restricted",
        "ordering_key",
        "regions",
        "criticality",
        "retention_days",
        "payload_ceiling_bytes",
        "field_case",
    )
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


class VersionInline(GuardedInline):
    """The versions of an event type."""

    model = SchemaVersion
    view_action = Action.EVENT_TYPE_VIEW
    shown = ("version", "changes", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).defer("document", "example")
        return rows.select_related("event_type")


@guarded(EventType)
class EventTypeAdmin(GuardedAdmin):
    """Event types; their versions come by change requests."""

    view_action = Action.EVENT_TYPE_VIEW
    add_action = Action.EVENT_TYPE_CREATE
    change_action = Action.EVENT_TYPE_CHANGE
    fields_to_change = (
        "title",
        "description",
        "happens_when",
        "tags",
        "compatibility_mode",
        "compatibility_policy",
    )
    fields_to_add = ("name", "topic", *fields_to_change)
    shown = ("name", "topic", *fields_to_change, "created_at")
    list_display = ("name", "title", "topic", "compatibility_mode", "created_at")
    list_filter = ("topic__domain", "compatibility_mode", "compatibility_policy")
    list_select_related = ("topic",)
    search_fields = ("name", "title", "description")
    autocomplete_fields = ("topic",)
    inlines = (VersionInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("search")

    def write(
        self,
        obj: EventType | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> EventType:
        if obj is None:
            return event_types.create(by=by, now=now, **values)
        return event_types.change(obj, by=by, now=now, **only(values, changed))

    def portal_url(self, obj: EventType) -> str:
        return reverse("catalog:event-type-detail", args=[obj.name])


class ReleaseInline(GuardedInline):
    """Where a version stands in each environment."""

    model = Release
    fk_name = "version"
    view_action = Action.EVENT_TYPE_VIEW
    shown = ("environment", "state", "since", "sunset_at", "replacement")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        related = ("version__event_type", "replacement__event_type")
        return super().get_queryset(request).select_related(*related)


@guarded(SchemaVersion)
class SchemaVersionAdmin(GuardedAdmin):
    """Versions are never changed; a change request makes the next one."""

    view_action = Action.EVENT_TYPE_VIEW
    hidden = ("major", "minor", "patch")
    list_display = ("version", "event_type", "guarantee", "created_at")
    list_filter = ("event_type__topic",)
    list_select_related = ("event_type",)
    search_fields = ("event_type__name", "version")
    date_hierarchy = "created_at"
    inlines = (ReleaseInline,)

    def portal_url(self, obj: SchemaVersion) -> str:
        return reverse("catalog:event-type-versions", args=[obj.event_type.name])


@guarded(Release)
class ReleaseAdmin(GuardedAdmin):
    """Versions by environment; promotion, deprecation and retirement are change requests."""

    view_action = Action.EVENT_TYPE_VIEW
    list_display = ("version", "environment", "state", "since", "sunset_at", "replacement")
    list_filter = ("environment", "state")
    list_select_related = ("version__event_type", "replacement__event_type")
    search_fields = ("version__event_type__name", "version__version")


class KeyInline(GuardedInline):
    """The keys of an application, by what they begin with."""

    model = ApiKey
    view_action = Action.KEY_VIEW
    shown = ("prefix", "environment", "label", "expires_at", "revoked_at", "last_used_at")


@guarded(Application)
class ApplicationAdmin(GuardedAdmin):
    """Applications; registering one makes its service account."""

    view_action = Action.APPLICATION_VIEW
    add_action = Action.APPLICATION_REGISTER
    change_action = Action.APPLICATION_CHANGE
    fields_to_add = ("name", "kind", "team", "region", "description")
    fields_to_change = (*fields_to_add, "is_active")
    shown = ("slug", *fields_to_change, "service_account", "created_at")
    list_display = ("name", "kind", "team", "region", "is_active", "created_at")
    list_filter = ("kind", "is_active", "region", "team")
    list_select_related = ("team", "region")
    search_fields = ("name", "slug", "description", "team__name")
    autocomplete_fields = ("team", "region")
    inlines = (KeyInline,)

    def write(
        self,
        obj: Application | None,
        *,
        by: User,
        now: datetime,
        values: dict[str, Any],
        changed: list[str],
    ) -> Application:
        if obj is None:
            return applications.register(by=by, now=now, **values)
        return applications.change(obj, by=by, now=now, **only(values, changed))

    def portal_url(self, obj: Application) -> str:
        return reverse("catalog:application-detail", args=[obj.slug])


# Django's own admin of groups edits permissions past the ledger; roles and teams are groups here.
admin.site.unregister(Group)


@guarded(Group)
class GroupAdmin(GuardedAdmin):
    """Roles and teams as Django keeps them; people and teams change who is in them."""

    view_action = Action.ROLE_CHANGE
    shown = ("name", "holds")
    list_display = ("name",)
    search_fields = ("name",)
    ordering = ("name",)

    @admin.display(description=_("permissions"))
    def holds(self, group: Group) -> str:
        found = group.permissions.select_related("content_type")
        return ", ".join(f"{one.content_type.app_label}.{one.codename}" for one in found)
