from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ManagerConfig(AppConfig):
    name = "manager"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from manager.seeding import seed_after_migrate

        post_migrate.connect(seed_after_migrate, sender=self, dispatch_uid="manager.seed_after_migrate")
