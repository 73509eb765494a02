"""The API of `governance` under /api/v1/ (design, section 6.3)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from governance.api import (
    catalog_files,
    changelogs,
    changes,
    compatibility,
    grants,
    house_rules,
    ledger,
)

app_name = "governance-api"

_CHANGE = "change-requests/<uuid:pk>"
_GRANT = "grants/<uuid:pk>"
_REQUEST = "access-requests/<uuid:pk>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("catalog/export", catalog_files.Export.as_view(), name="catalog-export"),
    path("catalog/import", catalog_files.Import.as_view(), name="catalog-import"),
    path("compatibility", compatibility.Compatibility.as_view(), name="compatibility"),
    path(
        "event-types/<str:name>/versions/<str:version>/changelog",
        changelogs.OfVersion.as_view(),
        name="changelog",
    ),
    path("change-requests", changes.Changes.as_view(), name="changes"),
    path(_CHANGE, changes.OneChange.as_view(), name="change"),
    path(f"{_CHANGE}/open", changes.Open.as_view(), name="change-open"),
    path(f"{_CHANGE}/recheck", changes.Recheck.as_view(), name="change-recheck"),
    path(f"{_CHANGE}/approve", changes.Approve.as_view(), name="change-approve"),
    path(f"{_CHANGE}/reject", changes.Reject.as_view(), name="change-reject"),
    path(
        f"{_CHANGE}/request-changes",
        changes.RequestChanges.as_view(),
        name="change-request-changes",
    ),
    path(f"{_CHANGE}/withdraw", changes.Withdraw.as_view(), name="change-withdraw"),
    path(f"{_CHANGE}/apply", changes.Apply.as_view(), name="change-apply"),
    path(f"{_CHANGE}/emergency", changes.MakeEmergency.as_view(), name="change-emergency"),
    path(f"{_CHANGE}/sign-off", changes.SignOff.as_view(), name="change-sign-off"),
    path(f"{_CHANGE}/comments", changes.Comments.as_view(), name="change-comments"),
    path("grants", grants.Grants.as_view(), name="grants"),
    path(_GRANT, grants.OneGrant.as_view(), name="grant"),
    path(f"{_GRANT}/revoke", grants.Revoke.as_view(), name="grant-revoke"),
    path("access-requests", grants.Requests.as_view(), name="access-requests"),
    path(_REQUEST, grants.OneRequest.as_view(), name="access-request"),
    path(f"{_REQUEST}/approve", grants.ApproveRequest.as_view(), name="access-request-approve"),
    path(f"{_REQUEST}/reject", grants.RejectRequest.as_view(), name="access-request-reject"),
    path(f"{_REQUEST}/withdraw", grants.WithdrawRequest.as_view(), name="access-request-withdraw"),
    path("house-rules", house_rules.HouseRules.as_view(), name="house-rules"),
    path("ledger", ledger.Ledger.as_view(), name="ledger"),
    path("ledger/verify", ledger.Verify.as_view(), name="ledger-verify"),
]
