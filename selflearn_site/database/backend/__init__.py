"""Django's PostgreSQL backend that starts the embedded server on demand and can act as the owner."""
