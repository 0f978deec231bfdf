"""The admin in the pages' clothes: their font, colours and mark. The values are those of static/css/tokens.css."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static


def _mark(_request: Any) -> str:
    return static("img/logo.svg")


def _style(name: str) -> Any:
    return lambda _request: static(f"css/{name}.css")


THEME: dict[str, Any] = {
    "SITE_ICON": _mark,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _mark}],
    "STYLES": [_style("tokens"), _style("admin")],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "base": {
            "50": "#f8fafc", "100": "#f1f5f9", "200": "#e2e8f0", "300": "#cbd5e1", "400": "#94a3b8", "500": "#64748b",
            "600": "#475569", "700": "#2d3c5c", "800": "#22304d", "900": "#111a2e", "950": "#0b1120",
        },
        "primary": {
            "50": "#eef2ff", "100": "#e0e7ff", "200": "#c7d2fe", "300": "#a5b4fc", "400": "#818cf8", "500": "#6366f1",
            "600": "#4f46e5", "700": "#4338ca", "800": "#3730a3", "900": "#312e81", "950": "#1e1b4b",
        },
        "font": {
            "subtle-light": "#64748b", "subtle-dark": "#94a3b8", "default-light": "#475569", "default-dark": "#b6c2d6",
            "important-light": "#0f172a", "important-dark": "#f1f5f9",
        },
    },
}  # fmt: skip
