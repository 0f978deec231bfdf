"""Embeddings as vectors that name their model, and whether a person lets a conversation be learnt from."""

import pgvector.django.vector
from django.db import migrations, models

# In the embedded server every database has it already. Elsewhere the owner may need it installed by an administrator.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS vector"


class Migration(migrations.Migration):
    dependencies = [("maas", "0002_row_level_security")]

    operations = [
        migrations.RunSQL(EXTENSION, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="memory",
            name="embedding_model",
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name="pipelinerun",
            name="consent",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="memory",
            name="embedding",
            field=pgvector.django.vector.VectorField(null=True),
        ),
        migrations.AddConstraint(
            model_name="memory",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("embedding__isnull", True), ("embedding_model__isnull", True)),
                    models.Q(("embedding__isnull", False), ("embedding_model__isnull", False)),
                    _connector="OR",
                ),
                name="embedding_names_its_model",
            ),
        ),
    ]
