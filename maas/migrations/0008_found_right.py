"""When an answer was found right by whoever asked and knew; people's own word is `feedback_score`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("maas", "0007_no_word_index")]

    operations = [
        migrations.AddField(model_name="pipelinerun", name="found_right_at", field=models.DateTimeField(null=True)),
    ]
