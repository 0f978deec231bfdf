"""Proposals to set memories aside."""

import uuid

from django.db import migrations, models

STATUSES = ["pending", "approved", "applied", "rejected", "expired", "undone", "erased"]


class Migration(migrations.Migration):
    dependencies = [("manager", "0014_policy_versions")]

    operations = [
        migrations.CreateModel(
            name="PruningProposal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(choices=[(name, name) for name in STATUSES], default="pending", max_length=10),
                ),
                ("memories", models.JSONField()),
                (
                    "evidence",
                    models.JSONField(default=dict, help_text="How many were flagged, and which were left out and why."),
                ),
                ("content_hash", models.TextField(help_text="Of the memories, as they were put before a person.")),
                ("pruned", models.JSONField(default=list)),
                ("proposed_by", models.CharField(max_length=100)),
                ("reason", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("decided_by", models.CharField(blank=True, max_length=100)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("comment", models.TextField(blank=True)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, help_text="When it was undone, or erased for good.", null=True),
                ),
            ],
            options={
                "db_table": "pruning_proposals",
                "ordering": ["-created_at"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(status__in=STATUSES), name="pruning_status_is_known")
                ],
            },
        ),
    ]
