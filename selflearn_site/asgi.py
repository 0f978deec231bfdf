"""The ASGI application of `web`."""

from __future__ import annotations

import os
import warnings
from typing import cast

from django.core.asgi import get_asgi_application

from selflearn_site.database.pool import connections_pool

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "selflearn_site.settings")

# WhiteNoise hands out open files: Django reads them in a thread, which is what we want, and warns at each of them.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
# Static files come from the apps' folders; a collected folder exists only where somebody collects.
warnings.filterwarnings("ignore", message="No directory at")

django_application = get_asgi_application()

from selflearn_site.events.stream import App, with_streams  # noqa: E402  models are loaded only now

application = with_streams(cast(App, django_application))
connections_pool()
