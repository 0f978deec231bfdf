from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TunerConfig(AppConfig):
    name = "tuner"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from tuner.seeding import seed_after_migrate

        post_migrate.connect(seed_after_migrate, sender=self, dispatch_uid="tuner.seed_after_migrate")
