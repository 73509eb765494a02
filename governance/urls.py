"""Pages of governance."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from governance.pages import access, ledger

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
    path("ledger/", ledger.ledger_list, name="ledger"),
    path("ledger/verify/", ledger.ledger_verify, name="ledger-verify"),
    path("ledger/<int:number>/", ledger.ledger_entry, name="ledger-entry"),
]
