from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import checks, languages  # noqa: F401  (which is found by `check`, and listens for sign-ins)
