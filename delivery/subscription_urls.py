"""Pages of subscriptions."""

from __future__ import annotations

from django.urls import path, re_path

from delivery.pages import subscription_acts, subscriptions, tryouts, wizard

urlpatterns = [
    path("subscriptions/", subscriptions.subscription_list, name="subscription-list"),
    path("subscriptions/new/", wizard.subscription_new, name="subscription-new"),
    path("subscriptions/try-out/", tryouts.try_out, name="try-out"),
    path(
        "subscriptions/<int:number>/", subscriptions.subscription_detail, name="subscription-detail"
    ),
    path(
        "subscriptions/<int:number>/edit/",
        subscriptions.subscription_edit,
        name="subscription-edit",
    ),
    path(
        "subscriptions/<int:number>/keys/<uuid:pk>/",
        subscription_acts.parked_key_act,
        name="parked-key-act",
    ),
    re_path(
        r"^subscriptions/(?P<number>\d+)/(?P<verb>pause|resume|ping|probe|rotate-secret|key-pair|end-key-pair|end)/$",
        subscription_acts.subscription_act,
        name="subscription-act",
    ),
]
