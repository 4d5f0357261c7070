from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        """Refuse to start while a type of resource has no rule for who may read it."""
        from clinic.models import RESOURCE_MODELS
        from scheduling import cds_hooks
        from scheduling.access.resource_rules import require_rules

        require_rules(RESOURCE_MODELS)
        cds_hooks.watch_services()
