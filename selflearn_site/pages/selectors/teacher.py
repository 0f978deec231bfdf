"""What the Teacher's page shows: its own measures and their course, and versions as promised and as seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.metric import METRICS
from manager.measures import By, Standing, TrendRow
from selflearn_site.templatetags.pages import duration
from teacher.domain.wording import amount, change_of, interval, signed
from teacher.measures import ManagerMeasures, Share, TeacherMeasures, Typical
from teacher.versions import NEEDS_TRUTH, SOURCES, Seen, VersionStory, version_stories

COLUMNS: dict[str, Any] = {
    "validation": gettext_lazy("validation"),
    "golden": gettext_lazy("golden set"),
    "train": gettext_lazy("simulated dialogues"),
    "online": gettext_lazy("real conversations"),
}
ROWS_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Tile:
    """`counted`: what the figure was counted from, in words; `link` leads there. `course`: its values over the rows of
    the trend."""

    title: str
    value: str
    counted: str
    doc: str
    link: str
    tone: str = ""
    course: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` is empty where nothing was seen; `why` then says so. `link`: the recorded runs behind it."""

    column: Any
    value: str
    span: str
    change: str
    change_span: str
    n: int
    why: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class MetricRow:
    title: str
    promised: bool
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class VersionView:
    story: VersionStory
    promised: str
    span: str
    golden: str
    metric: str
    rows: Sequence[MetricRow]


@dataclass(frozen=True, slots=True)
class TeacherView:
    teacher: Sequence[Tile]
    manager: Sequence[Tile]
    trend: Sequence[TrendRow]
    finished: int
    winners: int
    versions: Sequence[VersionView]
    columns: Sequence[Any]

    @property
    def overfitted(self) -> int:
        """Versions of which somebody else saw less than was promised."""
        return sum(bool(view.story.warnings) for view in self.versions)


def teacher_view(by: By) -> TeacherView:
    """A fixed number of queries, however much was learnt."""
    standing = Standing()
    trend, measures = standing.trend(by), standing.teacher()
    return TeacherView(
        teacher=teacher_tiles(measures, trend),
        manager=manager_tiles(standing.manager()),
        trend=trend[-ROWS_SHOWN:],
        finished=len(standing.finished),
        winners=measures.experiment_yield.part,
        versions=[_version(story) for story in version_stories()],
        columns=list(COLUMNS.values()),
    )


def share_text(share: Share) -> str:
    return "–" if share.value is None else f"{share.value:.0%}"


def typical_text(found: Typical) -> str:
    return "–" if found.value is None else duration(found.value.total_seconds())


def teacher_tiles(found: TeacherMeasures, trend: Sequence[TrendRow]) -> list[Tile]:
    def course(value: Callable[[TeacherMeasures], float | None]) -> list[float | None]:
        return [value(row.measures) for row in trend]

    resolution = found.resolution
    return [
        Tile(
            _("Experiment yield"), share_text(found.experiment_yield),
            _("%(part)s of %(whole)s won") % _counts(found.experiment_yield),
            _("winners with a clear effect among finished experiments"), reverse("pages:experiments"),
            course=course(lambda item: item.experiment_yield.value),
        ),
        Tile(
            _("Decided"), share_text(found.decided),
            _("%(part)s of %(whole)s finished") % _counts(found.decided),
            _("verdicts other than inconclusive: a loser teaches as much as a winner"), reverse("pages:experiments"),
            course=course(lambda item: item.decided.value),
        ),
        Tile(
            _("Regressions caught"), share_text(found.catch_rate),
            _("%(part)s of %(whole)s harmful") % _counts(found.catch_rate),
            _("harmful changes that verdict or golden gate stopped, among these and those found after activation"),
            reverse("pages:experiments") + "?status=rejected",
            tone="" if found.catch_rate.value in (None, 1.0) else "wait",
            course=course(lambda item: item.catch_rate.value),
        ),
        Tile(
            _("Hypothesis resolved in"), typical_text(resolution),
            _("median of %(n)s") % {"n": resolution.n},
            _("from planned to confirmed or rejected"), reverse("pages:hypotheses"),
            course=course(lambda item: item.resolution.value.total_seconds() if item.resolution.value else None),
        ),
        Tile(
            _("Stability"), share_text(found.stability),
            _("%(part)s of %(whole)s changes") % _counts(found.stability),
            _("changes of a factor that did not go back on an earlier one within ten cycles; rollbacks go back"),
            reverse("pages:parameters"),
            course=course(lambda item: item.stability.value),
        ),
    ]  # fmt: skip


def manager_tiles(found: ManagerMeasures) -> list[Tile]:
    def must_be_none(title: str, count: int, doc: str) -> Tile:
        return Tile(title, str(count), _("must be 0"), doc, reverse("pages:changes"), tone="bad" if count else "good")

    return [
        Tile(_("Goal to experiment"), typical_text(found.to_experiment),
             _("median of %(n)s") % {"n": found.to_experiment.n}, _("from a goal to its first experiment"),
             reverse("pages:goals")),
        Tile(_("Finished to decided"), typical_text(found.to_decision),
             _("median of %(n)s") % {"n": found.to_decision.n}, _("from a complete sample to the decision"),
             reverse("pages:experiments")),
        Tile(_("Coverage"), share_text(found.coverage),
             _("%(part)s of %(whole)s active goals") % _counts(found.coverage), _("active goals with an experiment"),
             reverse("pages:goals")),
        must_be_none(_("Conflicting changes"), found.conflicts,
                     _("a program went back on an earlier change, and nobody permitted it")),
        must_be_none(_("Outside policy"), found.outside_policy,
                     _("a program changed what policy leaves to a person")),
        must_be_none(_("Out of order"), found.disorder,
                     _("changes or rollbacks that did not follow on the version that was active")),
    ]  # fmt: skip


def _counts(share: Share) -> dict[str, int]:
    return {"part": share.part, "whole": share.whole}


def _version(story: VersionStory) -> VersionView:
    promise = story.promise
    metric = promise.metric if promise else ""
    return VersionView(
        story=story,
        promised=change_of(metric, promise.estimate) if promise else "",
        span=interval(metric, promise.low, promise.high) if promise else "",
        golden=signed(metric, promise.golden) if promise and promise.golden is not None else "",
        metric=METRICS[metric].title.lower() if metric in METRICS else metric,
        rows=[
            MetricRow(
                METRICS[name].title,
                name == metric,
                [_cell(name, source, seen.get(source), story.version) for source in SOURCES],
            )
            for name, seen in story.rows.items()
        ],
    )


_RUNS = {
    "validation": "split=validation",
    "golden": "split=golden",
    "train": "split=train",
    "online": "client_kind=user&cycle_type=online",
}


def _cell(metric: str, source: str, seen: Seen | None, version: int) -> Cell:
    column = COLUMNS[source]
    if seen is None:
        unknown = source == "online" and metric in NEEDS_TRUTH
        why = _("nobody knows what should have been found") if unknown else _("not measured")
        return Cell(column, "", "", "", "", 0, why)
    return Cell(
        column=column,
        value=amount(metric, seen.mean),
        span=f"{amount(metric, seen.low)}–{amount(metric, seen.high)}",
        change="" if seen.change is None else signed(metric, seen.change),
        change_span="" if seen.change is None else interval(metric, seen.change_low, seen.change_high),
        n=seen.n,
        why="",
        link=f"{reverse('admin:sensor_sensorevent_changelist')}?parameter_version={version}&{_RUNS[source]}",
    )
