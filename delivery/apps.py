from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    name = "delivery"
    verbose_name = _("Delivery")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers, and tell governance what delivery knows of contracts."""
        from delivery import (  # noqa: PLC0415 - models exist only now
            contract_checks,
            portal_receivers,  # noqa: F401 - connects itself
            receivers,  # noqa: F401 - connects itself
            rule_checks,
            waking,  # noqa: F401 - connects itself
        )
        from delivery.pages import frame_counts  # noqa: PLC0415 - models exist only now
        from delivery.rule_forms import RuleForm  # noqa: PLC0415 - models exist only now
        from governance import change_forms  # noqa: PLC0415 - models exist only now
        from governance.states import ChangeKind  # noqa: PLC0415 - with the form

        contract_checks.register()
        rule_checks.register()
        change_forms.FORMS[ChangeKind.ROUTING_RULE] = RuleForm
        frame_counts.register()
