"""When a person last asked is looked up every few seconds while background work runs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maas", "0008_found_right")]

    operations = [
        migrations.AddIndex(
            model_name="pipelinerun",
            index=models.Index(
                condition=models.Q(("client_kind", "user"), ("mode", "dialogue")),
                fields=["-created_at"],
                name="runs_of_people",
            ),
        ),
    ]
