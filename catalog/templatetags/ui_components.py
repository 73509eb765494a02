"""Rendering of the templates in `templates/components/`."""

from __future__ import annotations

from django.template.loader import get_template
from django.utils.safestring import SafeString


def component(template_name: str, /, **context: object) -> SafeString:
    """Render `templates/components/<template_name>.html` with this context and nothing else."""
    return SafeString(get_template(f"components/{template_name}.html").render(context))
