"""Pages of governance."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from governance.pages import (
    access,
    authoring,
    catalog_files,
    changes,
    help,
    house_rules,
    ledger,
)

app_name = "governance"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("governance.session_urls")),
    path("access/", access.matrix_page, name="access"),
    path("access/ending/", access.ending, name="access-ending"),
    path("access/history/", access.history, name="access-history"),
    path("access/requests/", access.request_list, name="access-request-list"),
    path("access/requests/new/", access.request_new, name="access-request-new"),
    path("access/requests/<int:number>/", access.request_detail, name="access-request-detail"),
    path("access/grants/new/", access.grant_new, name="grant-new"),
    path("access/grants/<int:number>/revoke/", access.grant_revoke, name="grant-revoke"),
    path("catalog/files/", catalog_files.files_page, name="catalog-files"),
    path("changes/", changes.change_list, name="change-request-list"),
    path("changes/new/", authoring.change_new, name="change-request-new"),
    path("changes/<int:number>/", changes.change_detail, name="change-request-detail"),
    path("changes/<int:number>/edit/", authoring.change_edit, name="change-request-edit"),
    re_path(
        r"^changes/(?P<number>\d+)/(?P<verb>open|recheck|approve|request-changes|reject|withdraw|"
        r"apply|emergency|sign-off|comment)/$",
        changes.change_act,
        name="change-request-act",
    ),
    path("changes/house-rules/", house_rules.house_rules_page, name="house-rules"),
    path("ledger/", ledger.ledger_list, name="ledger"),
    path("ledger/verify/", ledger.ledger_verify, name="ledger-verify"),
    path("ledger/<int:number>/", ledger.ledger_entry, name="ledger-entry"),
    path("help/", help.help_index, name="help"),
    path("help/<slug:slug>/", help.help_page, name="help-page"),
]
