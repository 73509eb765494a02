"""Teams, and the groups that they and the roles are, in the Django admin."""

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
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from catalog.guarded_admin import GuardedAdmin, guarded, to_list
from catalog.models import Application, Team, User
from catalog.words import UserKind
from governance import teams
from governance.actions import Action
from governance.governed import governed


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
