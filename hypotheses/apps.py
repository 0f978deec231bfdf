from django.apps import AppConfig


class HypothesesConfig(AppConfig):
    name = "hypotheses"
    default_auto_field = "django.db.models.BigAutoField"
