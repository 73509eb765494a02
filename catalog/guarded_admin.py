"""What every page of the Django admin here is made of: it asks `access`, it acts by verbs.

A `GuardedAdmin` shows what its viewer may see and writes by nothing but a verb: `write` for its
form, a `Deed` for what is done to rows that are already there. Without either it is read-only.
Nothing is ever deleted. Changes are in the ledger, so Django's own log of changes stays empty.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial, reduce
from operator import or_
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise, cached_property
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin

from catalog import history
from catalog.ids import first_of
from catalog.models import User
from catalog.moves import IllegalMove
from governance import access
from governance.actions import Action

Text = str | Promise
Rows = Sequence[models.Model]
A = TypeVar("A", bound="GuardedAdmin")
REFUSALS = (ValidationError, IllegalMove, PermissionDenied)

MOST_AT_ONCE = 100  # rows for which one verb after the other runs within a request
NAMES = ("number", "username", "name", "title", "version", "url", "prefix", "code")
SHORT_NUMBER = re.compile(r"^[A-Z]{1,3}-(\d{1,15})$")
COUNTED = 5_000  # rows of a big table that its pages count; more are there and found by searching


class ReasonForm(forms.Form):
    """Why it is done."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the ledger with your name."),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Something that a person does to selected rows, by a verb.

    `each(row, by=, now=, **values)` is called for every row; `together(rows, by=, now=, **values)`
    once, and returns what it made. `form` asks for the values on a page of its own, which shows
    what `preview(rows, by=, now=)` says. A thing's page offers it only `when(row)`; a list always.
    """

    name: str
    label: Text
    needs: Action
    each: Callable[..., object] | None = None
    together: Callable[..., Iterable[models.Model]] | None = None
    form: type[forms.Form] | None = None
    preview: Callable[..., Sequence[tuple[Text, object]]] | None = None
    when: Callable[[Any], bool] | None = None
    most: int = MOST_AT_ONCE


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts no further than `COUNTED`, so that a page costs the same whatever the table holds."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, at most `COUNTED`."""
        rows = cast("QuerySet[models.Model]", self.object_list)
        return rows.order_by()[:COUNTED].count()


class RecentFilter(admin.SimpleListFilter):
    """Rows by the time in their key: prunes partitions and needs no index of its own."""

    title = _("time")
    parameter_name = "since"
    spans: ClassVar[Mapping[str, tuple[Text, timedelta]]] = {
        "hour": (_("Past hour"), timedelta(hours=1)),
        "day": (_("Past day"), timedelta(days=1)),
        "week": (_("Past 7 days"), timedelta(days=7)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the spans to choose from."""
        return [(name, label) for name, (label, _span) in self.spans.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was made within the span."""
        span = self.spans.get(self.value() or "")
        return queryset.filter(pk__gte=first_of(timezone.now() - span[1])) if span else queryset


def pretty(value: object) -> str:
    """Return a JSON value as preformatted text."""
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False))


def list_url(model: type[models.Model], **filters: object) -> str:
    """Return the address of a model's list, narrowed to what the filters say."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return url + "?" + "&".join(f"{name}={value}" for name, value in filters.items())


def change_url(thing: models.Model) -> str:
    """Return the address of a thing's page in the admin."""
    meta = thing._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])


def in_state(*states: str) -> Callable[[Any], bool]:
    """Return a test for `Deed.when`: whether a thing is in one of the states."""
    return lambda row: row.state in states


def to_list(model: type[models.Model], label: Text, **filters: object) -> str:
    """Return a link to a list."""
    return format_html('<a href="{}">{}</a>', list_url(model, **filters), label)


def told(error: Exception) -> str:
    """Return what an error says to a person."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)


def answer(request: HttpRequest, action: Action | None, thing: models.Model | None) -> bool:
    """Tell whether the viewer may; asked once for each thing and request."""
    if action is None:
        return False
    answers = request.__dict__.setdefault("guarded_answers", {})
    key = (action, thing._meta.label if thing else "", thing.pk if thing else None)
    if key not in answers:
        answers[key] = access.allows(cast(User, request.user), action, thing)
    return bool(answers[key])


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
            one.name: (partial(_act, deed=one), one.name, one.label)
            for one in self.deeds
            if answer(request, one.needs, None)
        }


def _act(
    model_admin: GuardedAdmin, request: HttpRequest, queryset: QuerySet[Any], *, deed: Deed
) -> HttpResponse | None:
    """Do a deed to the selected rows, once its page was filled in."""
    rows = list(queryset[: deed.most + 1])
    if len(rows) > deed.most:
        messages.error(request, gettext("Choose at most %d at once.") % deed.most)
        return None
    values: dict[str, Any] = {}
    if deed.form is not None:
        form = deed.form(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return _ask(model_admin, request, rows, deed, form)
        values = form.cleaned_data
    _do(request, rows, deed, values)
    if "from_page" in request.POST and len(rows) == 1:
        return redirect(change_url(rows[0]))
    return None


def _do(request: HttpRequest, rows: Rows, deed: Deed, values: dict[str, Any]) -> None:
    by, now = cast(User, request.user), timezone.now()
    if deed.together is not None:
        try:
            made = list(deed.together(rows, by=by, now=now, **values))
        except REFUSALS as error:
            messages.error(request, told(error))
            return
        for one in made:
            link = format_html('<a href="{}">{}</a>', change_url(one), one)
            messages.success(request, format_html("{}: {}", deed.label, link))
        return
    done = 0
    for row in rows:
        try:
            if deed.each is not None:
                deed.each(row, by=by, now=now, **values)
        except REFUSALS as error:
            messages.error(request, f"{row}: {told(error)}")
        else:
            done += 1
    if done:
        said = ngettext("%(deed)s: %(count)d done.", "%(deed)s: %(count)d done.", done)
        messages.success(request, said % {"deed": deed.label, "count": done})


def _ask(
    model_admin: GuardedAdmin, request: HttpRequest, rows: Rows, deed: Deed, form: forms.Form
) -> HttpResponse:
    told_ahead: Sequence[tuple[Text, object]] = ()
    if deed.preview is not None:
        try:
            told_ahead = deed.preview(rows, by=cast(User, request.user), now=timezone.now())
        except REFUSALS as error:
            messages.error(request, told(error))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": deed.label,
        "opts": model_admin.opts,
        "deed": deed,
        "form": form,
        "rows": rows,
        "preview": told_ahead,
        "from_page": "from_page" in request.POST,
        "media": model_admin.media + form.media,
    }
    return render(request, "admin/guarded/ask.html", context)


class BigTableAdmin(GuardedAdmin):
    """For tables that grow with traffic: nothing is counted to its end, order is the key's.

    `found_by` names columns of UUIDs, and `search_fields` columns of text, that are found whole:
    both by an index.
    """

    found_by: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would count the whole table
    paginator = BoundedPaginator
    ordering = ("-pk",)

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.search_fields, *self.found_by)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Keep what has exactly this text or id."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = [Q(**{name: term}) for name in self.search_fields]
        with contextlib.suppress(ValueError):
            found += [Q(**{name: UUID(term)}) for name in self.found_by]
        return queryset.filter(reduce(or_, found, Q(pk__in=[]))), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ByKey


class ByKey(ChangeList):
    """A list in the order of the key alone, which every partition has an index for."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]


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


class LogAdmin(BigTableAdmin):
    """A big table whose few text columns are searched for parts of what they say."""

    get_search_results = GuardedAdmin.get_search_results


class SnapshotAdmin(LogAdmin):
    """The historical rows of one model; the database refuses to change them."""

    tracked: ClassVar[type[models.Model]]
    list_display = ("what", "history_date", "history_type", "who", "why")
    list_filter = ("history_type",)
    search_fields = ("history_user_name", "history_change_reason")
    list_display_links = ("what",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        seen = access.restrict(
            self.tracked._default_manager.all(), cast(User, request.user), self.view_action
        )
        rows: QuerySet[Any] = admin.ModelAdmin.get_queryset(self, request)
        return rows.filter(**{f"{self.tracked._meta.pk.attname}__in": seen.values("pk")})

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return answer(request, self.view_action, None)

    @admin.display(description=_("thing"))
    def what(self, row: Any) -> str:
        # No `str(row.instance)`: it may follow relations, with a query for each row.
        own = {field.name for field in row._meta.fields if not field.is_relation}
        found = next((getattr(row, one) for one in NAMES if one in own), "")
        return str(found or getattr(row, self.tracked._meta.pk.attname))

    @admin.display(description=_("by"))
    def who(self, row: Any) -> str:
        return row.history_user_name or "Signalbox"

    @admin.display(description=_("reason"))
    def why(self, row: Any) -> str:
        return (row.history_change_reason or "")[:120]


def guarded(model: type[models.Model]) -> Callable[[type[A]], type[A]]:
    """Register an admin class for the model, and one for its history where it has one."""

    def register(made: type[A]) -> type[A]:
        admin.site.register(model, made)
        if history.is_tracked(model):
            rows = model.history.model  # type: ignore[attr-defined]  # `is_tracked` says so
            of_rows = {
                "tracked": model,
                "view_action": made.view_action,
                "hidden": made.hidden,
                "__module__": made.__module__,
            }
            admin.site.register(rows, type(f"{rows.__name__}Admin", (SnapshotAdmin,), of_rows))
        return made

    return register
