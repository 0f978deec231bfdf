from django.apps import AppConfig


class SelflearnSiteConfig(AppConfig):
    name = "selflearn_site"
    verbose_name = "Selflearn"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from selflearn_site import checks  # noqa: F401  registers the deployment checks
        from selflearn_site.database import grants

        grants.connect(self)
