from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        """Have the checks found by `check`, and the languages hear of sign-ins."""
        from portal import checks  # noqa: F401
        from portal.common import languages  # noqa: F401
