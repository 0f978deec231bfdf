"""A report as one HTML page that needs nothing else: the page's own template with its styles inside."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from manager.reports.markdown import headline, title


def render(report: dict[str, Any]) -> str:
    """A whole document with a print style, in the language that is active. Everything that came from data is escaped by
    the template."""
    context = {"report": report, "headline": headline(report), "title": title(report)}
    return render_to_string("manager/report_document.html", context)
