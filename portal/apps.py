from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Register the system checks and the signal receiver for sign-ins."""
        from portal import checks  # noqa: F401
        from portal.common import languages  # noqa: F401
