"""Hang what a verb refuses at the fields of the form that asked for it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.forms import BaseForm


def put(form: BaseForm, error: ValidationError) -> None:
    """Add each fault at its field; those of no field of this form stand on top."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, faults in error.error_dict.items():
        form.add_error(name if name in form.fields else None, ValidationError(faults))
