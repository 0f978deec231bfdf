"""The HTTP API: routers of all rooms put together, who may call, and what errors look like."""
