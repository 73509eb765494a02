"""What the buttons of a runbook do on a failure, and whether this person may press them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import User
from catalog.requests import PortalRequest
from delivery import corrections, runbook_steps, runbooks
from delivery.letters import Letter
from delivery.models import FailureGroup, Runbook
from delivery.runbook_steps import Button, Deed, Step
from governance import access
from governance.actions import Action

_NEEDS: Mapping[Deed, Action] = {
    Deed.TEST: Action.SUBSCRIPTION_TEST,
    Deed.PROBE: Action.SUBSCRIPTION_TEST,
    Deed.EDIT: Action.SUBSCRIPTION_CHANGE,
    Deed.ROTATE: Action.SECRET_ROTATE,
    Deed.PAUSE: Action.SUBSCRIPTION_PAUSE,
    Deed.RESUME: Action.SUBSCRIPTION_RESUME,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeedButton:
    """A button as the page draws it; `who` says why it is not one for this person."""

    button: Button
    url: str = ""
    is_link: bool = False
    who: str = ""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A runbook on a failure: its steps with their buttons; `is_open` to read its versions."""

    runbook: Runbook
    steps: Sequence[tuple[Step, Sequence[DeedButton]]]
    is_open: bool


def on_failure(request: PortalRequest, group: FailureGroup, letter: Letter | None) -> list[Shown]:
    """Return the runbooks that fit the failure, with buttons for whoever looks at it."""
    found = list(runbooks.for_failure(group)[:5])
    if not found:
        return []
    readable = access.restrict(
        Runbook.objects.filter(pk__in=[one.pk for one in found]), request.user, Action.RUNBOOK_VIEW
    ).values_list("pk", flat=True)
    opened = set(readable)
    can = access.can(request.user, group.subscription, set(_NEEDS.values()))
    maker = _Maker(user=request.user, group=group, letter=letter, can=can)
    return [
        Shown(
            runbook=one,
            steps=[
                (step, [maker.made(button) for button in step.buttons])
                for step in runbook_steps.steps(one.text)
            ],
            is_open=one.pk in opened,
        )
        for one in found
    ]


@dataclass(frozen=True, kw_only=True)
class _Maker:
    user: User
    group: FailureGroup
    letter: Letter | None
    can: frozenset[Action]

    def made(self, button: Button) -> DeedButton:
        """Return the button with where it leads, or with who may press it."""
        if button.deed in _NEEDS:
            return self._of_subscription(button)
        if button.deed is Deed.VALIDATE:
            url = reverse("delivery:failure-act", args=[self.group.number, "validate"])
            return DeedButton(button=button, url=url)
        if button.deed is Deed.REPLAY:
            return self._replay(button)
        return self._correct(button)

    def _of_subscription(self, button: Button) -> DeedButton:
        subscription = self.group.subscription
        if _NEEDS[button.deed] not in self.can:
            team = subscription.application.team.name
            return DeedButton(button=button, who=_("%(team)s can") % {"team": team})
        if button.deed is Deed.EDIT:
            here = reverse("delivery:failure-detail", args=[self.group.number])
            url = reverse("delivery:subscription-edit", args=[subscription.number])
            return DeedButton(button=button, url=f"{url}?next={here}", is_link=True)
        verb = "ping" if button.deed is Deed.TEST else str(button.deed)
        url = reverse("delivery:subscription-act", args=[subscription.number, verb])
        return DeedButton(button=button, url=url)

    def _replay(self, button: Button) -> DeedButton:
        if not self.group.open_count:
            return DeedButton(button=button, who=_("nothing is dead now"))
        if not access.allows(self.user, Action.DELIVERY_REPLAY):
            return DeedButton(button=button, who=_("support can"))
        url = f"{reverse('delivery:replay-new')}?failure={self.group.number}"
        return DeedButton(button=button, url=url, is_link=True)

    def _correct(self, button: Button) -> DeedButton:
        event = self.letter.event if self.letter else None
        if event is None:
            return DeedButton(button=button, who=_("nothing is dead now"))
        if not corrections.may_correct(event, by=self.user):
            return DeedButton(button=button, who=_("support and the publisher can"))
        url = reverse("delivery:event-correct", args=[event.pk])
        return DeedButton(button=button, url=url, is_link=True)
