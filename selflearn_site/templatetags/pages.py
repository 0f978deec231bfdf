"""Numbers, values, times and small drawings as the pages say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contracts.metric import METRICS
from selflearn_site.pages import said as saying
from selflearn_site.pages import svg
from selflearn_site.pages.selectors.prunings import reasons_text
from teacher.domain import wording
from tuner.registry import FACTORS

register = template.Library()


@register.filter
def amount(value: float | None, metric: str) -> str:
    return saying.said(wording.amount(metric, value))


@register.filter
def change(value: float | None, metric: str) -> str:
    """A difference of two values of the metric, with its sign."""
    return saying.said(wording.signed(metric, value))


@register.filter
def estimate(value: float | None, metric: str) -> str:
    """A difference as the statistics engine gives it (relative for cost)."""
    return saying.said(wording.change_of(metric, value))


@register.filter
def gain(value: float | None, metric: str) -> str:
    """An improvement, whichever way the metric goes: `+.044`, `+12.0 %` for cost and latency."""
    if value is None:
        return "–"
    size = gain_size(abs(value), metric)
    if not size.strip(".,0 %"):
        return size  # a zero has no sign
    return f"{'−' if value < 0 else '+'}{size}"


@register.filter
def gain_size(value: float, metric: str) -> str:
    if metric in METRICS and METRICS[metric].kind not in ("binary", "bounded"):
        return saying.digits(f"{value * 100:.1f} %")
    return saying.digits(f"{value:.3f}".replace("0.", ".", 1))


@register.filter
def setting(value: Any) -> str:
    """A parameter's value: `on`, `0.32`, `hybrid`."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, float):
        return f"{value:.6g}"
    return "–" if value is None else str(value)


@register.filter
def metric_title(name: str) -> str:
    return saying.term(METRICS[name].title) if name in METRICS else name.replace("_", " ")


@register.filter
def factor_title(key: str) -> str:
    return saying.term(FACTORS[key].title) if key in FACTORS else key


@register.filter
def factor_short(key: str) -> str:
    """`top_k` for `retrieval.top_k`."""
    return key.split(".", 1)[-1]


@register.filter
def who(label: str) -> str:
    """`anna` for `person:anna`, `the Manager` for `component:manager`."""
    kind, _sep, name = label.partition(":")
    if kind == "component":
        return {"manager": _("the Manager"), "teacher": _("the Teacher"), "tuner": _("the Tuner")}.get(name, name)
    return name or label


@register.filter
def reasons(stored_reasons: Sequence[Any]) -> list[str]:
    """Why a memory is put up for review, in words."""
    return reasons_text(stored_reasons)


@register.filter
def clock(moment: datetime | None) -> str:
    """`14:21` today, `2026-11-19 14:21` before."""
    if moment is None:
        return "–"
    local, now = timezone.localtime(moment), timezone.localtime()
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local:%Y-%m-%d %H:%M}"


@register.filter
def clock_of(text: str) -> str:
    """`clock` of a time that is stored as ISO 8601 text."""
    moment = parse_datetime(text)
    return clock(moment) if moment else text


@register.filter
def ago(moment: datetime | None) -> str:
    """`3 min ago`; beyond two days the date."""
    if moment is None:
        return "–"
    seconds = max(0, int((timezone.now() - moment).total_seconds()))
    if seconds < 60:
        return _("just now")
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 60:
        return ngettext("%(n)s min ago", "%(n)s min ago", minutes) % {"n": minutes}
    if hours < 48:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    return f"{timezone.localtime(moment):%Y-%m-%d}"


@register.filter
def duration(seconds: float | None) -> str:
    """`12 s`, `3 min`, `1 h 20 min`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 90:
        return _("%(n)s s") % {"n": whole}
    minutes = round(whole / 60)
    if minutes < 90:
        return _("%(n)s min") % {"n": minutes}
    return _("%(h)s h %(m)s min") % {"h": minutes // 60, "m": minutes % 60}


@register.filter
def usd(value: float | None) -> str:
    """`$0.0178`; two decimals from a dollar on."""
    number = float(value or 0)
    return f"${number:,.2f}" if number >= 1 or number == 0 else f"${number:.4f}"


@register.filter
def item(mapping: Mapping[str, Any] | None, key: str) -> Any:
    return (mapping or {}).get(key)


@register.filter
def plain(name: str) -> str:
    """`rolled back` for `rolled_back`."""
    return saying.term(str(name).replace("_", " "))


@register.filter
def tone(name: str) -> str:
    """The colour class of a status: colour means a decision."""
    good = {"applied", "confirmed", "winner", "passes", "met", "holds", "resolved", "approved", "active"}
    bad = {"rejected", "refused", "failed", "loser", "broken", "critical", "void"}
    wait = {"pending", "waits", "waiting", "rolled_back", "gap", "paused", "warning", "open", "expired"}
    info = {"running", "planned_start", "acknowledged"}
    for words, colour in ((good, "good"), (bad, "bad"), (wait, "wait"), (info, "info")):
        if name in words:
            return colour
    return ""


@register.filter
def run_source(client_kind: str, mode: str) -> str:
    """Who asked: a real person, a simulated one, or a pass that evaluates."""
    if mode == "evaluation":
        return _("evaluation")
    return _("real person") if client_kind == "user" else _("simulated person")


@register.filter
def stored(text: object) -> str:
    """A stored sentence in the reader's language."""
    return saying.said(str(text))


@register.filter
def digits(text: object) -> str:
    return saying.digits(str(text))


@register.simple_tag
def waterfall(bars: Sequence[Any]) -> SafeString:
    return mark_safe(svg.waterfall([(bar.start, bar.width) for bar in bars]))  # noqa: S308 - built from numbers alone


@register.simple_tag
def spark(points: Sequence[float | None]) -> SafeString:
    return mark_safe(svg.sparkline(points))  # noqa: S308 - built from numbers alone


@register.simple_tag(takes_context=True)
def query_with(context: Mapping[str, Any], **changes: Any) -> str:
    """The page's query string with some parameters changed; None takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.filter
def delivery_word(status: str) -> str:
    """What became of a message."""
    return {
        "waiting": _("waits"),
        "sending": _("is being sent"),
        "delivered": _("delivered"),
        "failed": _("failed"),
        "not_sent": _("not sent"),
    }[status]


@register.filter
def delivery_tone(status: str) -> str:
    return {"delivered": "good", "failed": "bad", "not_sent": "wait"}.get(status, "info")
