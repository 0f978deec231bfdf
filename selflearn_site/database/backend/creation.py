"""Test databases are created, migrated, cloned, serialised and dropped by the owner; tests run as the runtime role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.backends.postgresql import creation

if TYPE_CHECKING:
    from selflearn_site.database.backend.base import DatabaseWrapper


class DatabaseCreation(creation.DatabaseCreation):
    connection: DatabaseWrapper

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        with self.connection.owner():
            return str(super().create_test_db(*args, **kwargs))

    def clone_test_db(self, *args: Any, **kwargs: Any) -> None:
        with self.connection.owner():
            super().clone_test_db(*args, **kwargs)

    def destroy_test_db(self, *args: Any, **kwargs: Any) -> None:
        with self.connection.owner():
            super().destroy_test_db(*args, **kwargs)

    def serialize_db_to_string(self) -> str:
        with self.connection.owner():
            return str(super().serialize_db_to_string())

    def deserialize_db_from_string(self, data: str) -> None:
        with self.connection.owner():
            super().deserialize_db_from_string(data)
