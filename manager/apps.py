from django.apps import AppConfig


class ManagerConfig(AppConfig):
    name = "manager"
    default_auto_field = "django.db.models.BigAutoField"
