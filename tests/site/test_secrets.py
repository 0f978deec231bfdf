"""Whatever fails, no secret stands in a log, an answer, a row (change log, incident, notification) or on stderr."""

from __future__ import annotations

import io
import json
import logging
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from django.db import connection
from django.test import Client

from contracts.actor import Actor, Role
from contracts.maas import RunRequest
from kernel.secrets import hide_in
from llm.errors import ModelRefused, ModelUnavailable
from llm.factory import get_chat_model
from llm.openai_engine import OpenAIChat
from llm.openai_retry import Backoff
from llm.protocol import ChatMessage
from maas.access import as_service
from maas.client import get_client
from notifications.domain.addresses import networks_read
from notifications.services.deliveries import deliveries_send
from selflearn_site.access.services import token_create
from selflearn_site.logs import logging_settings
from tests.access.people import person
from tests.llm.server import ProtocolServer, error
from tests.notifications.makers import channel_made, incident_made
from tests.notifications.receivers import Answer, receiving, refusing_port
from tests.site.servers import manage

KEY = "sk-planted-k3y-0f-the-endpoint"
PASSWORD = "planted-p4ss/w0rd&of-a-person"
ROOT = Actor(kind="person", name="root", role=Role.META_USER)
ASKED = [ChatMessage(role="user", content="Where did I buy the red cello?")]


@pytest.fixture(params=[False, True], ids=["production", "development"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Every line as the installation's handler writes it."""
    form = logging_settings(debug=request.param, level="DEBUG")["formatters"]["structured"]
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=form["processors"], foreign_pre_chain=form["foreign_pre_chain"])
    )
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield written
    finally:
        root.removeHandler(handler)


@pytest.fixture
def endpoint(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProtocolServer]:
    """A model's endpoint that refuses the key, and repeats it, as some do."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ProtocolServer() as server:
        refusal = error(401, f"Incorrect API key provided: {KEY}", code=f"bad {KEY}")
        server.faults.extend([refusal] * 20)
        settings.SELFLEARN_LLM, settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "openai", KEY, server.url
        yield server


def stored() -> str:
    """Every row of this site's database, and the student's runs, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        assert {"audit_entries", "incidents", "notification_outbox", "notification_deliveries"} <= set(tables)
        found = []
        for table in tables:
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            if cursor.fetchone()[0]:
                cursor.execute(f"SELECT one::text FROM {table} one")  # noqa: S608  names of our own tables
                found += [row for (row,) in cursor.fetchall()]
    with as_service() as cursor:
        cursor.execute("SELECT one::text FROM pipeline_runs one")
        found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


@pytest.mark.django_db(databases=["default", "maas"])
def test_model_key__endpoint_refuses_and_repeats_it__is_in_no_log_row_or_answer(
    client: Client, endpoint: ProtocolServer, log: io.StringIO
) -> None:
    _, token = token_create(name="planted", role=Role.META_USER, actor=ROOT)
    asked = {
        "user_id": str(uuid.uuid4()),
        "query": ASKED[0].content,
        "simulated_at": datetime(2025, 3, 1, tzinfo=UTC).isoformat(),
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/v1/maas/runs?wait=5", asked, content_type="application/json", headers=headers)
    run = json.loads(answer.content)
    again = get_client().ask(RunRequest.model_validate(asked))
    shown = client.get(f"/api/v1/maas/runs/{again.run_id}", headers=headers)
    assert answer.status_code < 300, run
    assert again.status == "FAILED"
    assert endpoint.requests
    rows = stored()
    assert "refuses the request" in rows + shown.text
    for secret in (KEY, token):
        assert secret not in answer.text + shown.text
        assert secret not in rows
        assert secret not in log.getvalue()
    assert "stage_failed" in log.getvalue()


def test_model_key__in_a_traceback__is_hidden_and_the_rest_is_told(endpoint: ProtocolServer, log: io.StringIO) -> None:
    try:
        get_chat_model().complete(messages=ASKED, task="answer")
    except ModelRefused as refused:
        assert KEY not in f"{refused} {refused.message} {refused.details}"
        logging.getLogger("room").exception("the model refused, key %s", KEY)
    said = log.getvalue()
    assert "ModelRefused" in said
    assert "***" in said
    assert KEY not in said


def test_model_key__endpoint_cannot_be_reached__is_not_told(settings: Any, log: io.StringIO) -> None:
    settings.OPENAI_API_KEY = KEY
    base = f"http://someone:{KEY}@127.0.0.1:{refusing_port()}/v1"
    model = OpenAIChat(model="m", api_key=KEY, base_url=base, backoff=Backoff(first=0.001, longest=0.002))
    with pytest.raises(ModelUnavailable) as raised:
        model.complete(messages=ASKED, task="answer")
    logging.getLogger("room").error("not reached: %s", base, exc_info=raised.value)
    assert KEY not in f"{raised.value} {raised.value.details}"
    assert "cannot be reached" in log.getvalue()
    assert KEY not in log.getvalue()


@pytest.mark.django_db(databases=["default", "maas"])
def test_password_and_token__wrong_ones__are_in_no_log_row_or_answer(client: Client, log: io.StringIO) -> None:
    person("anna", Role.META_USER)
    wrong = "slt_planted-" + "x1Y2z3" * 6
    page = client.post("/admin/login/", {"username": "anna", "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    answer = client.get("/api/v1/goals", headers={"Authorization": f"Bearer {wrong}"})
    assert (page.status_code, answer.status_code) == (200, 401)
    logging.getLogger("room").warning("somebody came with %s", wrong)
    for secret in (PASSWORD, wrong):
        assert secret not in page.text + answer.text
        assert secret not in stored()
        assert secret not in log.getvalue()


@pytest.mark.django_db(databases=["default", "maas"])
def test_signing_secret__receiver_fails__is_in_no_log_or_row(settings: Any, log: io.StringIO) -> None:
    settings.SELFLEARN_NOTIFY_NETWORKS = networks_read("127.0.0.0/8")
    with receiving(Answer(500, b"boom")) as receiver:
        _, secret = channel_made(receiver.url)
        incident_made()
        assert deliveries_send() == 0
        sent = receiver.got[0]
    assert secret.startswith("whsec_")
    logging.getLogger("room").warning("signed with %s", secret)
    rows = stored()
    assert "answered 500" in rows
    assert "channel" in rows
    assert secret not in f"{sent.headers} {sent.body!r}"
    assert secret not in rows
    assert secret not in log.getvalue()


@pytest.mark.parametrize("further", [[], ["--traceback"]], ids=["a line", "a traceback"])
def test_database_password__connection_is_refused__is_not_on_stderr(further: list[str]) -> None:
    url = f"postgresql://keeper:planted-p4ssw0rd@127.0.0.1:{refusing_port()}/site"
    ended = manage(
        "migrate",
        *further,
        environment={"SECRET_KEY": "planted-s1gning-key" * 3, "DATABASE_URL": url, "MAAS_DATABASE_URL": url},
    )
    assert ended.returncode == 1
    assert "cannot connect to PostgreSQL" in ended.stderr
    for secret in ("planted-p4ssw0rd", "planted-s1gning-key"):
        assert secret not in ended.stdout + ended.stderr


def test_hide_in__value_as_an_address_or_json_writes_it__is_hidden() -> None:
    secret = 'p4ss/"w0rd'
    said = hide_in(f"{secret} p4ss%2F%22w0rd {json.dumps(secret)}", [secret])
    assert said == '*** *** "***"'


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("redis://me:planted-pw@host/0", "redis://me:***@host/0"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("token slt_abcdef of anna", "token slt_abcdef of anna"),
        ("http://127.0.0.1:8000/a?b=c@d", "http://127.0.0.1:8000/a?b=c@d"),
        ("short k stays", "short k stays"),
    ],
)
def test_hide_in__shapes_of_secrets__only_they_are_hidden(said: str, shown: str) -> None:
    assert hide_in(said, ["k"]) == shown
