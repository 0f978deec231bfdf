"""Numbers, times and stored sentences in the language of whoever reads: it is chosen when a report is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from contracts.metric import METRICS
from teacher.domain.wording import amount, change_of, interval

_BARE = re.compile(r"(\d+)\.(\d+)")


def say(text: object) -> str:
    """A stored sentence, through what `settings.STORED_SENTENCES` names; as it is where it names nothing."""
    return _sayer()(str(text)) if text else ""


@cache
def _sayer() -> Callable[[str], str]:
    path: str = getattr(settings, "STORED_SENTENCES", "")
    return cast("Callable[[str], str]", import_string(path)) if path else str


def metric_said(item: Mapping[str, Any]) -> str:
    """The title of a row's metric, with its category where it has one."""
    known = METRICS.get(str(item.get("metric")))
    title = say(known.title if known else item.get("title", ""))
    category = item.get("category")
    return f"{title} ({say(category)})" if category else title


def amount_said(metric: str, value: float | None) -> str:
    """A value of a metric; also from 1 on with the decimal sign of the language, unlike a parameter's value."""
    said = say(amount(metric, value))
    whole = _BARE.fullmatch(said)
    return f"{whole[1]}{formats.get_format('DECIMAL_SEPARATOR')}{whole[2]}" if whole else said


def target_said(item: Mapping[str, Any]) -> str:
    """`.410 → .520, target .600, gap .080`."""
    if "current" not in item or "metric" not in item:  # written before targets were stored as numbers
        return say(item.get("text", ""))
    metric = str(item["metric"])
    words = {
        "start": amount_said(metric, item.get("start")),
        "now": amount_said(metric, item["current"]),
        "target": amount_said(metric, item["target"]),
        "gap": amount_said(metric, abs(item["gap"])),
    }
    if item["met"]:
        return _("%(start)s → %(now)s, target %(target)s: met") % words
    return _("%(start)s → %(now)s, target %(target)s: a gap of %(gap)s") % words


def way_said(item: Mapping[str, Any]) -> str:
    """`.410 → .520`."""
    if "current" not in item or "metric" not in item:
        return say(str(item.get("text", "")).split(",", 1)[0])
    metric = str(item["metric"])
    return f"{amount_said(metric, item.get('start'))} → {amount_said(metric, item['current'])}"


def before_after_said(row: Mapping[str, Any]) -> tuple[str, str]:
    if "metric" not in row:
        return say(row["before_text"]), say(row["after_text"])
    metric = str(row["metric"])
    return amount_said(metric, row["before"]), amount_said(metric, row["after"])


def effect_said(row: Mapping[str, Any]) -> str:
    """`+.044 [+.010, +.078]`, from the numbers of a criterion."""
    metric = str(row["metric"])
    found = f"{change_of(metric, row.get('estimate'))} {interval(metric, row.get('low'), row.get('high'))}".strip()
    return say(found)


def value_said(value: Any) -> str:
    """A parameter's value as it is typed."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)


def step_said(item: Mapping[str, Any]) -> str:
    """`retrieval.top_k 3 → 4`; of an experiment, or of a proposal."""
    name = item.get("factor", item.get("param", ""))
    return f"{name} {value_said(item.get('from'))} → {value_said(item.get('to'))}"


def moment_said(text: str | None) -> str:
    """A time that is stored as ISO 8601, in the zone of the settings and as this language writes it."""
    found = parse_datetime(text) if text else None
    return formats.date_format(timezone.localtime(found), "DATETIME_FORMAT") if found else "–"


def count_said(number: float) -> str:
    """A whole number with the groups of this language."""
    return formats.number_format(int(number), use_l10n=True, force_grouping=True)


def usd_said(value: float | None) -> str:
    number = float(value or 0)
    return say(f"${number:,.2f}" if number >= 1 or number == 0 else f"${number:.4f}")
