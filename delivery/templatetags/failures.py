"""Words for how deliveries ended, for pages that list them."""

from __future__ import annotations

from django import template

from delivery import diagnosis, moments
from delivery.models import Attempt, Delivery

register = template.Library()


@register.filter
def failure_name(error_class: str) -> diagnosis.Text:
    """Return a kind of failure as people call it."""
    return diagnosis.name_of(error_class)


@register.filter
def answer(attempt: Attempt) -> str:
    """Return what a try was answered: a status, or the kind of failure as people call it."""
    return moments.answer_of(attempt)


@register.filter
def end_reason(delivery: Delivery) -> diagnosis.Text:
    """Return why a delivery ended as it did; empty where its state says it all."""
    return diagnosis.explain_end(delivery.status, delivery.reason)
