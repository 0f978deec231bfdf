"""Addresses: the admin, the API, languages, and the pages once they are there."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from selflearn_site.api.assembly import api
from selflearn_site.api.errors import not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    re_path(r"^api/", csrf_exempt(not_found)),  # nothing to forge; else a POST here is a page about CSRF
    path("i18n/", include("django.conf.urls.i18n")),
]

if find_spec("selflearn_site.pages") and find_spec("selflearn_site.pages.urls"):
    urlpatterns.append(path("", include("selflearn_site.pages.urls")))
