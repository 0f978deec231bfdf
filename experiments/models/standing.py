"""Standing A/A: experiments of two identical arms, run to see how often the product finds what is not there."""

from __future__ import annotations

from django.db import models


class StandingTest(models.Model):
    """One A/A experiment. No factor, no hypothesis, no campaign: nothing of it can be applied.

    It has no row among the experiments, so that no list, count or measure takes it for one; its evaluation pass and
    its result carry its `slug`. An empty verdict: begun, and gone on with by the next call.
    """

    slug = models.SlugField(max_length=120, unique=True)
    dataset = models.CharField(max_length=50)
    number = models.PositiveIntegerField(help_text="Counted from 1 for its data set.")
    metric = models.CharField(max_length=50, help_text="The one target that the arms are compared on.")
    base_version = models.PositiveIntegerField(help_text="The parameter version of both arms.")
    look_sizes = models.JSONField(default=list)
    looks = models.JSONField(default=list, help_text="What each look before the end found.")
    verdict = models.CharField(max_length=12, blank=True)
    p_value = models.FloatField(null=True, blank=True)
    n = models.PositiveIntegerField(default=0)
    alike = models.PositiveIntegerField(default=0, help_text="Pairs of the n in which both arms had the same value.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "standing_tests"
        ordering = ["-started_at"]
        verbose_name = "standing A/A test"
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="standing_test_number_once_per_data_set"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["", "winner", "loser", "inconclusive"]),
                name="standing_verdict_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.slug
