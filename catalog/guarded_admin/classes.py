"""The admin classes that ask `access`, and save by a verb: one for a model, one for inlines."""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from simple_history.admin import SimpleHistoryAdmin

from catalog import history
from catalog.guarded_admin import deeds
from catalog.guarded_admin.deeds import REFUSALS, Deed, told
from catalog.guarded_admin.links import Text
from catalog.models import User
from governance import access
from governance.actions import Action

SHORT_NUMBER = re.compile(r"^[A-Z]{1,3}-(\d{1,15})$")


def answer(request: HttpRequest, action: Action | None, thing: models.Model | None) -> bool:
    """Tell whether the viewer may; asked once for each thing and request."""
    if action is None:
        return False
    answers = request.__dict__.setdefault("guarded_answers", {})
    key = (action, thing._meta.label if thing else "", thing.pk if thing else None)
    if key not in answers:
        answers[key] = access.allows(cast(User, request.user), action, thing)
    return bool(answers[key])


def only(values: dict[str, Any], changed: list[str]) -> dict[str, Any]:
    """Return the values of the fields that a person changed."""
    return {name: values[name] for name in changed}


class Guarded:
    """Permissions of an admin class, and which fields it shows."""

    view_action: ClassVar[Action]
    add_action: ClassVar[Action | None] = None
    change_action: ClassVar[Action | None] = None
    shown: ClassVar[tuple[str, ...]] = ()  # empty: every column but the hidden ones
    hidden: ClassVar[tuple[str, ...]] = ()
    fields_to_add: ClassVar[tuple[str, ...]] = ()
    fields_to_change: ClassVar[tuple[str, ...]] = ()
    model: type[models.Model]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return answer(request, self.view_action, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return answer(request, self.add_action, None)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        if "shows_snapshot" in request.__dict__:
            return False
        return answer(request, self.change_action, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def columns(self) -> list[str]:
        """Return the fields that are shown."""
        if self.shown:
            return list(self.shown)
        return [one.name for one in self.model._meta.fields if one.name not in self.hidden]

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        if obj is None:
            return list(self.fields_to_add)
        if not self.has_change_permission(request, obj):
            return self.columns()
        rest = [name for name in self.columns() if name not in self.fields_to_change]
        return [*self.fields_to_change, *rest]

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        if obj is None:
            return []
        may = self.has_change_permission(request, obj)
        return [one for one in self.columns() if not may or one not in self.fields_to_change]


class GuardedAdmin(Guarded, SimpleHistoryAdmin):  # type: ignore[misc]  # the library has no types
    """See the module."""

    deeds: ClassVar[tuple[Deed, ...]] = ()
    change_form_template = "admin/guarded/change_form.html"
    list_per_page = 50
    list_max_show_all = 200

    def write(
        self, obj: Any, *, by: User, now: datetime, values: dict[str, Any], changed: list[str]
    ) -> models.Model:
        """Call the verb that makes (`obj` is None) or changes a thing, and return the thing.

        `values` are the form's; `changed` names those that differ. May raise what verbs raise.
        """
        raise PermissionDenied(gettext("This is not changed here."))

    def portal_url(self, obj: Any) -> str:
        """Return where the portal shows this thing, or ""."""
        return ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return access.restrict(
            super().get_queryset(request), cast(User, request.user), self.view_action
        )

    def revert_disabled(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return True

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the snapshots of a tracked thing."""
        if not history.is_tracked(self.model):
            raise Http404
        return cast(HttpResponse, super().history_view(request, object_id, extra_context))

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show one snapshot; it is never put back."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        request.__dict__["shows_snapshot"] = True
        page = super().history_form_view(request, object_id, version_id, extra_context)
        return cast(HttpResponse, page)

    def get_inline_instances(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return super().get_inline_instances(request, obj) if obj is not None else []

    # Saving: the form parses, `write` calls the verb, and what the verb refuses is the form's.

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm[Any]]:
        made = super().get_form(request, obj, change=change, **kwargs)
        refused = request.__dict__.get("refused")
        if refused is None:
            return cast("type[forms.ModelForm[Any]]", made)

        def _clean(form: forms.ModelForm[Any]) -> dict[str, Any]:
            made.clean(form)
            by_field = getattr(refused, "error_dict", {})
            if by_field and by_field.keys() <= form.fields.keys():
                raise refused
            raise ValidationError(told(refused))

        return type(made.__name__, (made,), {"clean": _clean})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show or take the form; without Django's transaction around it: the verb has its own.

        A verb writes the ledger last and then lets go of its head. Inside an outer transaction the
        head would stay locked while more is written, and two people who save could deadlock.
        """
        extra = {**(extra_context or {}), **self._extras(request, object_id)}
        try:
            page = self._changeform_view(request, object_id, form_url, extra)
        except REFUSALS as error:
            if request.method != "POST" or "verb_called" not in request.__dict__:
                raise
            request.__dict__["refused"] = error
            page = self._changeform_view(request, object_id, form_url, extra)
        return cast(HttpResponse, page)

    def _extras(self, request: HttpRequest, object_id: str | None) -> dict[str, object]:
        found = self.get_object(request, object_id) if object_id else None
        if found is None:
            return {}
        fitting = [one for one in self.deeds if one.when is None or one.when(found)]
        may = [one for one in fitting if answer(request, one.needs, found)]
        return {
            "deeds": may,
            "is_tracked": history.is_tracked(self.model),
            "portal_url": self.portal_url(found),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        request.__dict__["verb_called"] = True
        made = self.write(
            obj if change else None,
            by=cast(User, request.user),
            now=timezone.now(),
            values=form.cleaned_data,
            changed=form.changed_data,
        )
        obj.__dict__.update({**made.__dict__, "_state": made._state})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write nothing more: the verb did all of it."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[Any]:
        """Say nothing: it would ask inline rows, which are only shown, what was saved of them."""
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave it to the ledger."""

    log_change = log_addition

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search for words; a short number as people see it, such as CR-42, means that thing."""
        number = SHORT_NUMBER.match(search_term.strip())
        if number and any(one.name == "number" for one in self.model._meta.fields):
            return queryset.filter(number=int(number[1])), False
        found = super().get_search_results(request, queryset, search_term)
        return cast("tuple[QuerySet[Any], bool]", found)

    # Deeds.

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Any, str, Text]]:
        if IS_POPUP_VAR in request.GET:
            return {}
        return {
            one.name: (partial(deeds.act, deed=one), one.name, one.label)
            for one in self.deeds
            if answer(request, one.needs, None)
        }


class GuardedInline(Guarded, admin.TabularInline):  # type: ignore[type-arg]  # run time
    """Rows below the thing that they belong to; they are only shown."""

    extra = 0
    max_num = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return answer(request, self.view_action, None)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        return self.columns()

    def get_readonly_fields(
        self, request: HttpRequest, obj: models.Model | None = None
    ) -> list[str]:
        return self.columns()
