"""What the pages of emulations show: batches with their progress, what may be played, one dialogue as it was held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from emulator.domain.lifecycle import BatchStatus
from emulator.domain.script import EmulationPlan
from emulator.library import bundled_scenarios, load_personas
from emulator.models import EmulationBatch
from emulator.standing import UNDER_WAY, Standing, standing
from kernel.errors import InvalidInput
from manager.services.emulations import MOST_DIALOGUES, emulation_name
from tuner.models import ParameterVersion, VersionKind

MANAGER = "component:manager"
SPLITS = ("train", "validation")
_VERSIONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A batch in the list, and how it stands now."""

    batch: EmulationBatch
    standing: Standing

    @property
    def live(self) -> bool:
        return self.batch.status in UNDER_WAY

    @property
    def state(self) -> str:
        """The status in words: `waiting` for a worker, `stopping` when it was asked to."""
        if self.batch.status == BatchStatus.PENDING:
            return _("waiting")
        if self.batch.status == BatchStatus.RUNNING and self.batch.stop_requested:
            return _("stopping")
        return str(self.batch.status)

    @property
    def tone(self) -> str:
        return {"completed": "good", "failed": "bad", "running": "info", "pending": "wait"}.get(self.batch.status, "")

    @property
    def by_manager(self) -> bool:
        """Part of a campaign's cycle: the campaign is paused or stopped, not this."""
        return self.batch.created_by == MANAGER

    @property
    def may_stop(self) -> bool:
        return self.live and not self.by_manager

    @property
    def may_go_on(self) -> bool:
        broken = self.batch.status in (BatchStatus.STOPPED, BatchStatus.FAILED)
        return not self.by_manager and (broken or self.standing.stalled)

    @property
    def arm(self) -> str:
        if self.batch.experiment:
            return f"{self.batch.experiment} · {self.batch.variant or _('production')}"
        pinned = self.batch.plan.get("pinned_version")
        return f"v{pinned}" if pinned else _("active version")


@dataclass(frozen=True, slots=True)
class Choice:
    """A scenario that may be played."""

    id: str
    goal: str
    language: str
    person: str
    threads: int


@dataclass(frozen=True, slots=True)
class Form:
    """What was entered, as text, and what is wrong with it."""

    values: Mapping[str, str]
    scenarios: frozenset[str]
    problem: str = ""
    field: str = ""


DEFAULTS: Mapping[str, str] = {
    "split": "train",
    "dialogues": "30",
    "turns": "",
    "seed": "0",
    "parallel": "4",
    "arm": "",
    "driver": "",
}
_WHOLE = {"dialogues": (1, MOST_DIALOGUES), "turns": (1, 100), "seed": (0, 2**63 - 1), "parallel": (1, 64)}


def row_of(batch: EmulationBatch) -> Row:
    return Row(batch, standing(batch))


def choices() -> dict[str, tuple[Choice, ...]]:
    """Split → its scenarios."""
    people = load_personas()
    return {
        split: tuple(
            Choice(
                id=story.id,
                goal=story.goal,
                language=story.language,
                person=people[story.persona].name if story.persona in people else story.persona,
                threads=len(story.threads),
            )
            for story in bundled_scenarios(split)
        )
        for split in SPLITS
    }


def person_names() -> dict[str, str]:
    """Persona → the person's name."""
    return {name: persona.name for name, persona in load_personas().items()}


def arms() -> list[tuple[str, str]]:
    """Value and words of what may answer: production versions, and arms of experiments, newest first."""
    production = ParameterVersion.objects.filter(kind=VersionKind.PRODUCTION).order_by("-version")[:_VERSIONS_SHOWN]
    found = [(f"v:{row.version}", _("version %(n)s") % {"n": row.version}) for row in production]
    arms_ = ParameterVersion.objects.filter(kind=VersionKind.EXPERIMENT).order_by("-version")[:_VERSIONS_SHOWN]
    return found + [(f"a:{row.experiment}:{row.variant}", f"{row.experiment} · {row.variant}") for row in arms_]


def plan_from(posted: Mapping[str, str], scenarios: Sequence[str]) -> EmulationPlan:
    """The plan that a form asks for; scenarios ticked in the other split do not count. Raises `InvalidInput`."""
    split = posted.get("split") or "train"
    if split not in SPLITS:
        raise InvalidInput(_("Train or validation can be played."), details={"field": "split"})
    ours = {choice.id for choice in choices()[split]}
    if scenarios and not ours.intersection(scenarios):
        raise InvalidInput(
            _("The scenarios ticked are of the other split: choose that, or untick them."),
            details={"field": "scenarios"},
        )
    kind, _sep, rest = posted.get("arm", "").partition(":")
    experiment, _sep, variant = rest.partition(":") if kind == "a" else ("", "", "")
    numbers = {name: _number(name, posted.get(name, "")) for name in _WHOLE}
    if posted.get("driver", "") not in ("", "script", "offline", "llm"):
        raise InvalidInput(_("There is no such way to play."), details={"field": "driver"})
    return EmulationPlan(
        batch=posted.get("name") or emulation_name(),
        dialogues=numbers["dialogues"] or int(DEFAULTS["dialogues"]),
        turns=numbers["turns"],
        seed=numbers["seed"] or 0,
        parallel=numbers["parallel"] or int(DEFAULTS["parallel"]),
        split=split,
        scenarios=tuple(name for name in scenarios if name in ours),
        experiment=experiment or None,
        variant=variant or None,
        pinned_version=int(rest) if kind == "v" and rest.isdecimal() else None,
        driver=posted.get("driver") or None,
    )


def _number(name: str, text: str) -> int | None:
    """None for an empty field. Raises `InvalidInput` with the range."""
    least, most = _WHOLE[name]
    text = text.strip().replace(" ", "").replace("\u00a0", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        said = {"dialogues": _("Dialogues"), "turns": _("Turns"), "seed": _("Seed"), "parallel": _("Users at once")}
        raise InvalidInput(
            _("%(name)s: a whole number from %(least)s to %(most)s.")
            % {"name": said[name], "least": least, "most": most},
            details={"field": name},
        )
    return int(text)


def emulations_news(total: int, running: int) -> str:
    """The headline of the list."""
    if running:
        return ngettext("An emulation is under way.", "%(n)s emulations are under way.", running) % {"n": running}
    if not total:
        return _("No dialogues have been played yet.")
    return ngettext("%(n)s emulation was played.", "%(n)s emulations were played.", total) % {"n": total}


def emulation_news(row: Row) -> str:
    """The headline of one batch."""
    batch = row.batch
    facts = {"done": batch.dialogues_done, "total": batch.dialogues_total, "invalid": batch.dialogues_invalid}
    words = {
        BatchStatus.PENDING: _("Waiting for a worker."),
        BatchStatus.RUNNING: _("%(done)s of %(total)s dialogues are played."),
        BatchStatus.STOPPED: _("Stopped after %(done)s of %(total)s dialogues."),
        BatchStatus.FAILED: _("Broken off after %(done)s of %(total)s dialogues."),
    }
    if batch.status in words:
        return words[BatchStatus(batch.status)] % facts
    if batch.dialogues_invalid:
        return (
            ngettext(
                "%(invalid)s of %(done)s dialogues is invalid.",
                "%(invalid)s of %(done)s dialogues are invalid.",
                batch.dialogues_invalid,
            )
            % facts
        )
    return ngettext("The dialogue was played.", "All %(n)s dialogues were played.", batch.dialogues_done) % {
        "n": batch.dialogues_done
    }
