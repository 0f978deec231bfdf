"""Safety checks for their page: what each looks at, what it found last, and earlier runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from incidents.models import SafetyResult, SafetyRun
from incidents.selectors import safety_last

KNOWN: dict[str, tuple[Promise, Promise]] = {
    "golden seal": (
        gettext_lazy("golden seal"),
        gettext_lazy("every golden set, and the golden files, are what was sealed"),
    ),
    "one active version": (
        gettext_lazy("one active version"),
        gettext_lazy("exactly one parameter version is active"),
    ),
    "change log": (gettext_lazy("change log"), gettext_lazy("no row was altered or taken away: the chain holds")),
    "personal data in our own logs": (
        gettext_lazy("personal data in our own logs"),
        gettext_lazy("failed tasks, errors of cycles and incidents, sampled, hold no address, number or card"),
    ),
    "row-level security": (
        gettext_lazy("row-level security"),
        gettext_lazy("on and forced on every table of people, and no role looks past it"),
    ),
    "tenant isolation": (
        gettext_lazy("tenant isolation"),
        gettext_lazy("tried as several people: nobody sees or changes what is another's"),
    ),
    "searches stay with their user": (
        gettext_lazy("searches stay with their user"),
        gettext_lazy("no memory of another person among what the newest runs found"),
    ),
    "personal data in logs": (
        gettext_lazy("personal data in logs"),
        gettext_lazy("error texts of the student, sampled, hold no address, number or card"),
    ),
    "student": (gettext_lazy("student"), gettext_lazy("the checks of a student that runs elsewhere")),
}


@dataclass(frozen=True, slots=True)
class CheckRow:
    result: SafetyResult
    title: str
    about: str

    @property
    def tone(self) -> str:
        return {True: "good", False: "bad", None: "wait"}[self.result.ok]

    @property
    def word(self) -> str:
        return {True: _("holds"), False: _("fails"), None: _("not made")}[self.result.ok]


def title_of(name: str) -> str:
    return str(KNOWN[name][0]) if name in KNOWN else name


def check_rows() -> list[CheckRow]:
    """Failures first, then as they were made."""
    rows = [
        CheckRow(item, title_of(item.name), str(KNOWN[item.name][1]) if item.name in KNOWN else "")
        for item in safety_last()
    ]
    return sorted(rows, key=lambda row: row.result.ok is not False)


def open_run() -> SafetyRun | None:
    return SafetyRun.objects.filter(slot=1).first()


def run_rows(*, limit: int = 20) -> list[SafetyRun]:
    """Newest first, each with how many checks failed. One query."""
    failing = Count("results", filter=Q(results__ok=False))
    return list(SafetyRun.objects.filter(slot=None).annotate(failing=failing, made=Count("results"))[:limit])


def safety_news(rows: Sequence[CheckRow]) -> str:
    """The title: what fails, by name."""
    if not rows:
        return _("Safety has not been checked yet.")
    failing = [row.title for row in rows if row.result.ok is False]
    if failing:
        return ngettext(
            "%(n)s safety check fails: %(names)s.", "%(n)s safety checks fail: %(names)s.", len(failing)
        ) % {"n": len(failing), "names": ", ".join(failing)}
    left = sum(row.result.ok is None for row in rows)
    said = ngettext("%(n)s safety check holds.", "All %(n)s safety checks hold.", len(rows) - left)
    return said % {"n": len(rows) - left}
