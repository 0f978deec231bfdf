"""Incidents as a person narrows them, and what each is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from incidents.domain.lifecycle import IncidentStatus
from incidents.models import Incident
from tuner.models import ParameterVersion

FILTERS = ("status", "severity", "kind")


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    address: str


def incidents_chosen(chosen: Mapping[str, str]) -> QuerySet[Incident]:
    """Newest first."""
    return Incident.objects.filter(**{name: chosen[name] for name in FILTERS if chosen.get(name)}).order_by("-id")


def incidents_count() -> tuple[int, int]:
    """How many nobody looks into, and how many somebody does. One query."""
    found = Incident.objects.aggregate(
        open=Count("pk", filter=Q(status=IncidentStatus.OPEN)),
        taken=Count("pk", filter=Q(status=IncidentStatus.ACKNOWLEDGED)),
    )
    return found["open"], found["taken"]


def kinds() -> list[str]:
    return list(Incident.objects.order_by("kind").values_list("kind", flat=True).distinct())


def links_of(incidents: Iterable[Incident]) -> dict[int, list[Link]]:
    """Where to read of what each incident is about. One query, however many there are."""
    listed = list(incidents)
    versions = {int(key) for incident in listed if (key := _key(incident, "version")).isdecimal()}
    made = dict(ParameterVersion.objects.filter(version__in=versions).values_list("version", "experiment"))
    return {incident.pk: _links(incident, made) for incident in listed}


def _links(incident: Incident, experiments: Mapping[int, str | None]) -> list[Link]:
    if (version := _key(incident, "version")).isdecimal():
        found = [Link(_("version %(version)s") % {"version": version}, reverse("pages:parameters"))]
        if slug := experiments.get(int(version)):
            found.append(Link(_("its experiment"), reverse("pages:experiment", args=[slug])))
        return [*found, Link(_("change log"), reverse("pages:changes"))]
    places = {
        "golden": (_("golden set"), "pages:golden"),
        "safety": (_("system"), "pages:system"),
        "user": (_("recorded runs"), "pages:runs"),
        "dataset": (_("Teacher"), "pages:teacher"),
    }
    if (kind := incident.subject.partition(":")[0]) in places:
        title, name = places[kind]
        return [Link(title, reverse(name))]
    if incident.kind.startswith("judge"):
        return [Link(_("judges"), reverse("pages:judges"))]
    return []


def _key(incident: Incident, kind: str) -> str:
    found, _colon, key = incident.subject.partition(":")
    return key if found == kind else ""
