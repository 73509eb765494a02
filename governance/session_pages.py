"""Pages for signing in and out, the password, and how pages look to a person."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash, views
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.forms import BaseModelForm
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import UpdateView

from catalog.middleware import ENVIRONMENT_COOKIE
from catalog.models import User
from governance import passwords
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

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Change it, keep this session, end the others."""
        user, password = form.user, form.cleaned_data["new_password1"]
        passwords.change(user, password=password, now=timezone.now())
        update_session_auth_hash(self.request, user)
        messages.success(self.request, _("The password is changed."))
        return HttpResponseRedirect(self.get_success_url())


class Profile(LoginRequiredMixin, UpdateView):  # type: ignore[type-arg]  # nor at run time
    """Show who I am here and let me choose how pages look."""

    template_name = "governance/profile.html"
    form_class = ProfileForm
    success_url = reverse_lazy("governance:profile")

    def get_object(self, queryset: QuerySet[User] | None = None) -> User:
        """Return the person who asks: nobody edits another's profile."""
        return User.objects.get(username=self.request.user.get_username())

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """Add the names of the person's teams."""
        groups = self.object.groups.filter(name__startswith="team:").order_by("name")
        teams = [name.partition(":")[2] for name in groups.values_list("name", flat=True)]
        return super().get_context_data(**kwargs, teams=teams)

    def form_valid(self, form: BaseModelForm[User]) -> HttpResponse:
        """Save what has no history; the chosen environment replaces the one kept by the browser."""
        person = form.save(commit=False)
        person.save(update_fields=list(form.fields))
        messages.success(self.request, _("Saved. Pages look like this from now on."))
        response = HttpResponseRedirect(self.get_success_url())
        response.delete_cookie(ENVIRONMENT_COOKIE, samesite="Lax")
        return response
