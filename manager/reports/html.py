"""A report as one HTML page that needs nothing else: the page's own template with its styles inside."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string

from manager.reports.markdown import headline


def render(report: dict[str, Any]) -> str:
    """A whole document with a print style. Everything that came from data is escaped by the template."""
    return render_to_string("manager/report_document.html", {"report": report, "headline": headline(report)})
