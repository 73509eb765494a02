"""Pages for signing in and out, the password, and how pages look to a person."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.generic import UpdateView

from catalog.middleware import ENVIRONMENT_COOKIE
from catalog.models import User
from governance.session_forms import ProfileForm, SignInForm


class SignIn(views.LoginView):
    """Sign in; django-axes counts the wrong tries and answers with `locked_out.html`."""

    template_name = "governance/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    """Sign out by POST, then show the sign-in page."""

    template_name = "governance/signed_out.html"


class PasswordChange(views.PasswordChangeView):
    """Choose a new password; other sessions of this person end."""

    template_name = "governance/password_change.html"
    success_url = reverse_lazy("governance:profile")

    def form_valid(self, form: object) -> HttpResponse:
        """Say that it is done."""
        messages.success(self.request, _("The password is changed."))
        return super().form_valid(form)  # type: ignore[arg-type]


class Profile(LoginRequiredMixin, UpdateView):  # type: ignore[type-arg]  # nor at run time
    """Show who I am here and let me choose how pages look."""

    template_name = "governance/profile.html"
    form_class = ProfileForm
    success_url = reverse_lazy("governance:profile")

    def get_object(self, queryset: QuerySet[User] | None = None) -> User:
        """Return the person who asks: nobody edits another's profile."""
        return User.objects.get(pk=self.request.user.pk)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """Add the names of the person's teams."""
        groups = self.object.groups.filter(name__startswith="team:").order_by("name")
        teams = [name.partition(":")[2] for name in groups.values_list("name", flat=True)]
        return super().get_context_data(**kwargs, teams=teams)

    def form_valid(self, form: BaseModelForm[User]) -> HttpResponse:
        """Save, and let the chosen environment replace the one that stuck in this browser."""
        response = super().form_valid(form)
        messages.success(self.request, _("Saved. Pages look like this from now on."))
        response.delete_cookie(ENVIRONMENT_COOKIE)
        return response
