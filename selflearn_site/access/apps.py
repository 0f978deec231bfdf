from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    name = "selflearn_site.access"
    label = "access"
    verbose_name = "Access"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from selflearn_site.access.roles import roles_seed

        # Sent once per app, in the order of INSTALLED_APPS: all permissions of the rooms exist when ours comes.
        post_migrate.connect(roles_seed, sender=self, dispatch_uid="access.roles_seed")
