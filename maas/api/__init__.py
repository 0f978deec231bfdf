"""The student over HTTP: one router per subject, put together by the site."""

from maas.api.runs import router as runs

routers = (runs,)
