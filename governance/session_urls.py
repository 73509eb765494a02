"""URLs for signing in and out; `governance.urls` includes them in its namespace."""

from __future__ import annotations

from django.urls import path

from governance import session_pages

urlpatterns = [
    path("sign-in", session_pages.SignIn.as_view(), name="sign-in"),
    path("sign-out", session_pages.SignOut.as_view(), name="sign-out"),
    path("password", session_pages.PasswordChange.as_view(), name="password-change"),
    path("profile", session_pages.Profile.as_view(), name="profile"),
]
