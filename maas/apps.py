from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MaasConfig(AppConfig):
    name = "maas"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from maas.prompts.seed import prompts_seed
        from maas.test_runner.scripts import scripts_seed

        post_migrate.connect(prompts_seed, sender=self, dispatch_uid="maas.prompts_seed")
        post_migrate.connect(scripts_seed, sender=self, dispatch_uid="maas.scripts_seed")
