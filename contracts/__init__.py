"""Messages that pass between roles: frozen pydantic models, extra fields forbidden, each with its schema version."""
