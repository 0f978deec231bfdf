from django.apps import AppConfig


class TeacherConfig(AppConfig):
    name = "teacher"
    default_auto_field = "django.db.models.BigAutoField"
