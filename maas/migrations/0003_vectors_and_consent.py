"""Embeddings as vectors that name their model, speakers marked among the words of a memory, and a run's consent."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import pgvector.django.vector
from django.db import migrations, models

import maas.models

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
        # The expression of a generated column cannot be altered: the column and its index are made anew.
        migrations.RemoveIndex(model_name="memory", name="memories_by_word"),
        migrations.RemoveField(model_name="memory", name="tsv"),
        migrations.AddField(
            model_name="memory",
            name="tsv",
            field=models.GeneratedField(
                db_persist=True,
                expression=maas.models.SearchableText(models.F("speaker"), models.F("summary_text")),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            model_name="memory",
            index=django.contrib.postgres.indexes.GinIndex(fields=["tsv"], name="memories_by_word"),
        ),
    ]
