from django.apps import AppConfig


class SensorConfig(AppConfig):
    name = "sensor"
    default_auto_field = "django.db.models.BigAutoField"
