"""Whether the student keeps its users apart: looked up in the catalogue, and tried through the roles of its runtime.

Nothing is written: the one UPDATE that is tried names a row of somebody else, and must hit none. Nothing that a person
said is returned, counts and ids alone.
"""

from __future__ import annotations

import re
import uuid

from django.db import connections

from contracts.maas import SafetyFinding
from maas.access import ALIAS, acting_for, as_service

TABLES = ("pipeline_runs", "raw_logs", "lsm_storage")
TRIED_USERS = 5
SAMPLE = 500
"""Newest error rows, and newest searches, that are looked through."""

_RLS = """
SELECT relname, relrowsecurity AND relforcerowsecurity AND EXISTS (
    SELECT FROM pg_policy WHERE polrelid = c.oid AND polroles = ARRAY['maas_request'::regrole::oid]
      AND pg_get_expr(polqual, polrelid) LIKE '%%maas.user_id%%')
  AND NOT EXISTS (
    SELECT FROM pg_policy WHERE polrelid = c.oid AND pg_get_expr(polqual, polrelid) NOT LIKE '%%maas.user_id%%'
      AND polroles && ARRAY[0::oid, 'maas_request'::regrole::oid])
FROM pg_class c WHERE oid = ANY(%s::regclass[])
"""
_BYPASSING = """
SELECT rolname FROM pg_roles
WHERE (rolsuper OR rolbypassrls) AND rolname IN (session_user, 'maas_request', 'maas_service')
"""
_USERS = "SELECT user_id FROM lsm_storage GROUP BY user_id ORDER BY max(created_at) DESC LIMIT %s"
_ONE_OF_OTHERS = "SELECT id FROM lsm_storage WHERE user_id <> %s ORDER BY created_at DESC LIMIT 1"
_FOREIGN_FOUND = """
SELECT count(*) FROM (
  SELECT user_id, retrieval FROM pipeline_runs WHERE retrieval IS NOT NULL ORDER BY created_at DESC LIMIT %s
) AS r, jsonb_array_elements_text(r.retrieval -> 'found') AS f(id)
JOIN lsm_storage m ON m.id = f.id::uuid WHERE m.user_id <> r.user_id
"""
_ERRORS = """
(SELECT 'run ' || id, error_message FROM pipeline_runs WHERE error_message IS NOT NULL
 ORDER BY created_at DESC LIMIT %s)
UNION ALL
(SELECT 'log ' || id, log_data::text FROM raw_logs WHERE log_type = 'ERROR' ORDER BY created_at DESC LIMIT %s)
"""
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.\w{2,}|(?<![\w.-])\+\d[\d ()-]{8,16}\d|(?<![\w.-])(?:\d{4}[ -]?){3}\d{4}(?![\w.-])"
)
"""Addresses, international telephone numbers and card numbers; ids and times have none of these shapes."""


def safety_checks() -> list[SafetyFinding]:
    """Each check with what was looked at. One that cannot be made has failed; its reason is the detail."""
    found = []
    for name, check in _CHECKS.items():
        try:
            wrong, looked_at = check()
        except Exception as error:  # whatever the reason, nothing was shown to be safe
            wrong, looked_at = f"could not be checked: {type(error).__name__}: {error}".splitlines()[0], ""
        found.append(SafetyFinding(name=name, ok=not wrong, detail=wrong or looked_at))
    return found


def _row_security() -> tuple[str, str]:
    """Row-level security is on, forced and has its policy; no role that the runtime takes looks past it."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(_RLS, [list(TABLES)])
        tables = dict(cursor.fetchall())
        cursor.execute(_BYPASSING)
        roles = [row[0] for row in cursor.fetchall()]
    wrong = [f"{table} is not guarded" for table in TABLES if not tables.get(table)]
    wrong += [f"{role} looks past row-level security" for role in roles]
    return "; ".join(wrong), f"on and forced for {', '.join(TABLES)}"


def _isolation() -> tuple[str, str]:
    """As each of the newest users, and as one that does not exist: no row of another is seen or can be changed."""
    with as_service() as cursor:
        cursor.execute(_USERS, [TRIED_USERS])
        users = [row[0] for row in cursor.fetchall()]
    wrong = []
    for user in (*users, uuid.uuid4()):
        with as_service() as cursor:
            cursor.execute(_ONE_OF_OTHERS, [user])
            other = cursor.fetchone()
        with acting_for(user) as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT count(*) FROM {table} WHERE user_id <> %s", [user])  # noqa: S608  own names
                if seen := cursor.fetchone()[0]:
                    wrong.append(f"user {user} sees {seen} rows of others in {table}")
            if other is not None:
                cursor.execute("UPDATE lsm_storage SET id = id WHERE id = %s", [other[0]])
                if cursor.rowcount:
                    wrong.append(f"user {user} can change memory {other[0]} of another")
    return "; ".join(wrong), f"tried as {len(users)} users, and as one who does not exist"


def _searches() -> tuple[str, str]:
    """No memory of another user among what the newest runs found."""
    with as_service() as cursor:
        cursor.execute(_FOREIGN_FOUND, [SAMPLE])
        foreign = int(cursor.fetchone()[0])
    return (f"{foreign} found memories belong to another user" if foreign else ""), f"the newest {SAMPLE} runs at most"


def _personal_data() -> tuple[str, str]:
    """Error texts, which outlive what was said and are read by whoever runs the service, hold no personal data."""
    with as_service() as cursor:
        cursor.execute(_ERRORS, [SAMPLE, SAMPLE])
        rows = cursor.fetchall()
    hits = [where for where, text in rows if _PERSONAL.search(text)]
    wrong = f"{len(hits)} of {len(rows)} error texts hold personal data, {hits[0]} first" if hits else ""
    return wrong, f"{len(rows)} error texts sampled"


_CHECKS = {
    "row-level security": _row_security,
    "tenant isolation": _isolation,
    "searches stay with their user": _searches,
    "personal data in logs": _personal_data,
}
