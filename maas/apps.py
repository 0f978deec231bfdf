from django.apps import AppConfig


class MaasConfig(AppConfig):
    name = "maas"
    default_auto_field = "django.db.models.BigAutoField"
