"""The index on words is never used: under row-level security a person's rows are read by `user_id` first (0012)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("maas", "0006_queue")]

    operations = [migrations.RemoveIndex(model_name="memory", name="memories_by_word")]
