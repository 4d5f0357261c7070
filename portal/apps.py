from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import languages  # noqa: F401  (which listens for sign-ins)
