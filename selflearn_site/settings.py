"""Django settings, all of them; what differs between machines comes typed from `environment.py`.

Importing this starts nothing: the embedded server starts on the first connection (`selflearn_site/database`).
"""

from __future__ import annotations

from typing import Any

from selflearn_site.database.configuration import database_settings
from selflearn_site.environment import BASE_DIR, environment
from selflearn_site.logs import logging_settings
from selflearn_site.navigation import SIDEBAR
from selflearn_site.theme import THEME

ENV = environment()

DEBUG = ENV.debug
SECRET_KEY = ENV.signing_key()
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENV.csrf_trusted_origins

INSTALLED_APPS = [
    "unfold",  # before django.contrib.admin, whose templates it replaces
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "ninja",
    "django_q",
    "audit",
    "notifications",
    "incidents",
    "tuner",
    "maas",
    "emulator",
    "sensor",
    "hypotheses",
    "experiments",
    "teacher",
    "goals",
    "manager",
    "selflearn_site.access",
    "selflearn_site.events",
    "selflearn_site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "selflearn_site.logs.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "selflearn_site.access.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "selflearn_site.access.middleware.PolicyMiddleware",
]

ROOT_URLCONF = "selflearn_site.urls"
ASGI_APPLICATION = "selflearn_site.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- databases -------------------------------------------------------------------------------------------------------

DATABASES = database_settings(
    database_url=ENV.database_url, maas_database_url=ENV.maas_database_url, test_suffix=ENV.selflearn_test_suffix
)
DATABASE_ROUTERS = ["selflearn_site.database.router.TwoDatabases"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# In the database, because several processes must see the same counters and task results.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "site_cache"}}

# --- people, languages, files ----------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["selflearn_site.access.sign_in.GuardedBackend"]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENV.selflearn_https
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health$"]  # asked from inside, by whoever restarts the process
SECURE_HSTS_SECONDS = ENV.selflearn_hsts_seconds if ENV.selflearn_https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.selflearn_behind_proxy else None

USE_TZ = True
TIME_ZONE = ENV.time_zone
USE_I18N = True
LANGUAGE_CODE = ENV.language_code
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files are served straight from the apps, with DEBUG off too, so that no collectstatic stands before the first run.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- admin and API ---------------------------------------------------------------------------------------------------

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Selflearn",
    "SITE_HEADER": "Selflearn",
    "SITE_SYMBOL": "model_training",
    "SITE_URL": "/",
    "SHOW_HISTORY": False,
    "SHOW_LANGUAGES": True,
    "LOGIN": {"form": "selflearn_site.access.sign_in.SignInForm"},
    **THEME,
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": SIDEBAR},
}
NINJA_PAGINATION_CLASS = "selflearn_site.api.paging.CursorPages"
NINJA_PAGINATION_PER_PAGE = 50
NINJA_PAGINATION_MAX_LIMIT = 200  # without a cap one call may ask for everything

SELFLEARN_API_RATE = ENV.selflearn_api_rate

# --- background tasks ------------------------------------------------------------------------------------------------

Q_CLUSTER: dict[str, Any] = {
    "name": "selflearn",
    "workers": 2,
    "timeout": 1800,
    "retry": 2400,  # above `timeout`: a task that still runs is not handed out again
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": 0,  # any other limit makes each save lock all finished rows; history is pruned by a schedule
    "poll": 0.2,
    "catch_up": False,
    "label": "Tasks",
    **({"redis": ENV.q_broker_url} if ENV.q_broker_url else {"orm": "default"}),
}

# --- notifications ---------------------------------------------------------------------------------------------------

SELFLEARN_SITE_URL = ENV.selflearn_site_url
SELFLEARN_NOTIFY_NETWORKS = ENV.notify_networks
NOTIFY_TIMEOUT_SECONDS = 10.0  # of one try over HTTP
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = ENV.email_host
EMAIL_PORT = ENV.email_port
EMAIL_HOST_USER = ENV.email_host_user
EMAIL_HOST_PASSWORD = ENV.email_host_password.get_secret_value() if ENV.email_host_password else ""
EMAIL_USE_TLS = ENV.email_use_tls
EMAIL_USE_SSL = ENV.email_use_ssl
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENV.default_from_email
STORED_SENTENCES = "selflearn_site.pages.said.said"  # how notifications say in Russian what is stored in English

# --- logs ------------------------------------------------------------------------------------------------------------

LOGGING_CONFIG = "selflearn_site.logs.configure_logs"
LOGGING = logging_settings(debug=DEBUG, level=ENV.log_level)

# --- models and the memory service -----------------------------------------------------------------------------------

SELFLEARN_LLM = ENV.selflearn_llm
OPENAI_API_KEY = ENV.openai_api_key.get_secret_value() if ENV.openai_api_key else ""
OPENAI_BASE_URL = ENV.openai_base_url
SELFLEARN_MODEL = ENV.selflearn_model
SELFLEARN_MODEL_COMPLEX = ENV.selflearn_model_complex
SELFLEARN_JUDGE_MODEL = ENV.selflearn_judge_model
SELFLEARN_EMBEDDING_MODEL = ENV.selflearn_embedding_model
SELFLEARN_PRICES = ENV.selflearn_prices
MAAS_URL = ENV.maas_url
MAAS_TOKEN = ENV.maas_token.get_secret_value() if ENV.maas_token else ""
MAAS_PATIENCE_SECONDS = ENV.maas_patience_seconds
MAAS_PARAMETER_PROVIDER = "tuner.selectors.effective_params"
STORED_SENTENCES = "selflearn_site.pages.said.said"  # says what is stored in English in the language that is active
SELFLEARN_VAR_DIR = ENV.selflearn_var
LAST_GOOD_PARAMETERS = SELFLEARN_VAR_DIR / "last_good_parameters.json"
