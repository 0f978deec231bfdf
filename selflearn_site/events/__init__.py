"""What happens, as it happens: an outbox that triggers fill, and streams of it under ASGI. Gives; changes nothing."""
