from django.apps import AppConfig


class TunerConfig(AppConfig):
    name = "tuner"
    default_auto_field = "django.db.models.BigAutoField"
