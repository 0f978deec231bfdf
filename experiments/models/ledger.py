"""The ledger of false discoveries: one row for each experiment that got its verdict, in the order of verdicts."""

from __future__ import annotations

from django.db import models


class DiscoveryEntry(models.Model):
    """One tested experiment in its stream. Never changed and never deleted: a level that was spent is spent.

    A stream is the experiments on one data set's validation questions, whoever's campaign they are of: those
    questions are what is looked at again and again. `spent`, `left` and `next_level` are as they stood after this row.
    """

    stream = models.CharField(max_length=80)
    place = models.PositiveIntegerField(help_text="Counted from 1 inside the stream.")
    experiment = models.CharField(max_length=120, unique=True, help_text="The experiment's slug.")
    p_value = models.FloatField(help_text="Of the change being better; 1 when nothing could be tested.")
    untested = models.TextField(blank=True, help_text="Why nothing could be tested; empty when it was.")
    level = models.FloatField(help_text="What p had to be at most.")
    discovery = models.BooleanField()
    candidate = models.BooleanField(help_text="Whether p was low enough to cost nothing.")
    spent = models.FloatField()
    left = models.FloatField()
    next_level = models.FloatField(help_text="What the next experiment's p has to be at most.")
    entered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "discovery_ledger"
        ordering = ["stream", "place"]
        verbose_name_plural = "ledger of false discoveries"
        constraints = [
            models.UniqueConstraint(fields=["stream", "place"], name="one_entry_per_place_of_a_stream"),
            models.CheckConstraint(condition=models.Q(p_value__gte=0, p_value__lte=1), name="ledger_p_is_a_p"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.place}: {self.experiment}"
