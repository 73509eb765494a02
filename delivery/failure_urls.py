"""Pages of the support desk."""

from __future__ import annotations

from django.urls import path, re_path

from delivery.pages import failure_acts, failures, replay_orders, replays, runbooks

urlpatterns = [
    path("failures/", failures.failure_list, name="failure-list"),
    path("failures/<int:number>/", failures.failure_detail, name="failure-detail"),
    re_path(
        r"^failures/(?P<number>\d+)/(?P<verb>take|give|release|note|resolve|ignore|reopen|validate)/$",
        failure_acts.failure_act,
        name="failure-act",
    ),
    path("runbooks/", runbooks.runbook_list, name="runbook-list"),
    path("runbooks/new/", runbooks.runbook_new, name="runbook-new"),
    path("runbooks/<int:number>/", runbooks.runbook_detail, name="runbook-detail"),
    path("runbooks/<int:number>/edit/", runbooks.runbook_edit, name="runbook-edit"),
    re_path(
        r"^runbooks/(?P<number>\d+)/(?P<verb>retire|restore)/$",
        runbooks.runbook_act,
        name="runbook-act",
    ),
    path("replays/", replays.replay_list, name="replay-list"),
    path("replays/new/", replay_orders.replay_new, name="replay-new"),
    path("replays/choose/", replay_orders.replay_choose, name="replay-choose"),
    path("replays/<int:number>/", replays.replay_detail, name="replay-detail"),
    re_path(
        r"^replays/(?P<number>\d+)/(?P<verb>approve|pause|resume|cancel)/$",
        replays.replay_act,
        name="replay-act",
    ),
]
