"""What is written after migrations, and when it must not be."""

from __future__ import annotations

import pytest
from django.db import connection

from manager.models import Policy
from manager.seeding import seed_after_migrate


@pytest.mark.django_db
def test_seed__tables_of_today__writes_the_policy() -> None:
    Policy.objects.all().delete()

    seed_after_migrate(using="default")

    assert Policy.objects.count() == 1


@pytest.mark.django_db
def test_seed__policies_of_an_earlier_state__are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Policy.objects.all().delete()
    described = connection.introspection.get_table_description
    monkeypatch.setattr(
        connection.introspection, "get_table_description", lambda cursor, table: described(cursor, table)[:-1]
    )

    seed_after_migrate(using="default")

    assert not Policy.objects.exists()
