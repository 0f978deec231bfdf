"""What can go wrong at the only door to a model. Engines raise these and nothing of their libraries."""

from __future__ import annotations

from kernel.errors import DomainError, Unavailable


class ModelUnavailable(Unavailable):
    """The endpoint cannot be reached, limits the rate or fails, after the engine's own retries. Later may help."""

    code = "MODEL_UNAVAILABLE"


class ModelTimeout(Unavailable):
    """No answer within the caller's timeout, retries included. Later may help."""

    code = "MODEL_TIMEOUT"


class MalformedOutput(DomainError):
    """The model answered, but not in the shape that was asked for; `details` names what is wrong."""

    code = "MODEL_OUTPUT_MALFORMED"


class ModelRefused(DomainError):
    """The request itself is refused (key, model name, parameters, content). The same request will fail again."""

    code = "MODEL_REFUSED"
