"""The form in which a person chooses what they are told of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext_lazy as _

from delivery.news_kinds import MailTime, NewsKind
from delivery.notifications import Choice


class ChoicesForm(forms.Form):
    """A line for each kind of news: in the portal, and by e-mail."""

    def __init__(self, *args: Any, chosen: Mapping[NewsKind, Choice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in NewsKind:
            self.fields[f"{kind}-shown"] = forms.BooleanField(
                label=_("In the portal: %(kind)s") % {"kind": kind.label},
                required=False,
                initial=chosen[kind].is_shown,
            )
            self.fields[f"{kind}-mail"] = forms.ChoiceField(
                label=_("By e-mail: %(kind)s") % {"kind": kind.label},
                choices=MailTime.choices,
                widget=forms.Select(attrs={"class": "input"}),
                initial=chosen[kind].mail,
            )

    def lines(self) -> Iterator[tuple[NewsKind, BoundField, BoundField]]:
        """Yield each kind with its two fields."""
        for kind in NewsKind:
            yield kind, self[f"{kind}-shown"], self[f"{kind}-mail"]

    def chosen(self) -> dict[NewsKind, Choice]:
        """Return what was chosen of a form that is valid."""
        return {
            kind: Choice(
                is_shown=self.cleaned_data[f"{kind}-shown"],
                mail=MailTime(self.cleaned_data[f"{kind}-mail"]),
            )
            for kind in NewsKind
        }
