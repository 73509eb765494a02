"""Forms for signing in and for how pages look to a person."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from catalog.models import User
from catalog.words import UserKind


class SignInForm(AuthenticationForm):
    """A name and a password; service accounts act through keys and are refused."""

    error_messages = {
        "invalid_login": _("This name and password do not belong together. Check Caps Lock."),
        "inactive": _("This account is switched off. An administrator can switch it on."),
    }

    def confirm_login_allowed(self, user: User) -> None:
        """Refuse who may not sign in, with the words for a wrong password."""
        super().confirm_login_allowed(user)
        if user.kind != UserKind.PERSON:
            raise ValidationError(self.error_messages["invalid_login"], code="invalid_login")


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What a person may change about how pages look to them."""

    class Meta:
        model = User
        fields = ["time_zone", "language", "environment", "theme"]
        widgets = {"theme": forms.RadioSelect, "environment": forms.RadioSelect}
        help_texts = {
            "time_zone": _("All times are shown in it; the exact time is in each time's tool tip."),
            "environment": _("A page opens in it until you switch."),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        zones = sorted({*available_timezones(), self.instance.time_zone} - {"localtime"})
        self.fields["time_zone"] = _choice(self.fields["time_zone"], [(one, one) for one in zones])
        self.fields["language"] = _choice(self.fields["language"], list(settings.LANGUAGES))
        if len(settings.LANGUAGES) == 1:
            del self.fields["language"]


def _choice(field: forms.Field, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=field.label, help_text=field.help_text, choices=choices)
