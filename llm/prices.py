"""What a call costs, in USD per million tokens.

Nominal list prices, for budgets and for comparing arms, not for bookkeeping: providers change theirs. The entry
"offline" is a small model's price, so that cost moves with tokens where no model is paid. `SELFLEARN_PRICES`
({"model": [prompt, completion]}) adds to the table and overrides it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kernel.errors import InvalidInput


class Price(NamedTuple):
    prompt: float
    completion: float


PRICES: Final[dict[str, Price]] = {
    "offline": Price(0.15, 0.60),
    "gpt-4o-mini": Price(0.15, 0.60),
    "gpt-4o": Price(2.50, 10.00),
    "gpt-4.1-nano": Price(0.10, 0.40),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1": Price(2.00, 8.00),
    "text-embedding-3-small": Price(0.02, 0.0),
    "text-embedding-3-large": Price(0.13, 0.0),
}
UNKNOWN: Final = Price(2.50, 10.00)
"""A model that no table knows is counted as a large one: a budget then errs on the safe side, and never reads zero."""


def price_of(model: str, prices: Mapping[str, Price] = PRICES) -> Price:
    """The price of a model; a dated version ("gpt-4o-2024-08-06") has its family's, by the longest name that fits."""
    if model in prices:
        return prices[model]
    families = [name for name in prices if model.startswith(f"{name}-")]
    return prices[max(families, key=len)] if families else UNKNOWN


def cost_usd(model: str, *, prompt_tokens: int, completion_tokens: int, prices: Mapping[str, Price] = PRICES) -> float:
    price = price_of(model, prices)
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1_000_000


def prices_from(override: str | Mapping[str, Any] | None) -> dict[str, Price]:
    """The table with the settings' own entries. Raises `InvalidInput` for what is no price table."""
    if not override:
        return dict(PRICES)
    try:
        table = json.loads(override) if isinstance(override, str) else override
        own = {str(name): Price(float(pair[0]), float(pair[1])) for name, pair in table.items()}
    except (ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
        raise InvalidInput(
            'SELFLEARN_PRICES must be JSON such as {"model": [0.15, 0.6]} (USD per million tokens)',
            details={"field": "SELFLEARN_PRICES"},
        ) from error
    return {**PRICES, **own}
