"""Words for entries of the ledger, in every template."""

from __future__ import annotations

from django import template

from governance.telling import told

register = template.Library()
register.filter("told", told)
