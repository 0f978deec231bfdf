"""docs/FACTORS.md, written from the registry."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from contracts.change import GUARD_MEANINGS, LIFTED_BY_APPROVAL
from contracts.parameters import FactorDefinition
from tuner.domain.values import allowed_text
from tuner.registry import FACTORS, FROM_SETTINGS

_HEAD = """# Impact factors

Written by `python manage.py factors_doc` from `tuner/registry.py`; a test fails when it is out of date.

*Alone*: what may be set without a human. *Step*: the largest change at once. Beyond either, but inside the range, a
change waits for approval. A factor that acts on *memory* works when memories are written, not when they are searched.

| factor | default | range | alone | step | acts on |
|---|---|---|---|---|---|
"""


def factors_path() -> Path:
    return Path(settings.BASE_DIR) / "docs" / "FACTORS.md"


def factors_markdown() -> str:
    rows = "".join(f"| {' | '.join(_row(factor))} |\n" for factor in FACTORS.values())
    return _HEAD + rows + _guards() + "".join(_section(factor) for factor in FACTORS.values())


def _guards() -> str:
    """Why a change is refused or has to wait."""
    rows = "".join(
        f"| `{code}` | {meaning} | {'yes' if code in LIFTED_BY_APPROVAL else 'no'} |\n"
        for code, meaning in GUARD_MEANINGS.items()
    )
    return f"""
## Guards

Every change passes all of them at once; each broken one comes with the value, the limit and what would be allowed.

| code | says | an approval lifts it |
|---|---|---|
{rows}"""


def _row(factor: FactorDefinition) -> tuple[str, ...]:
    settings_made = factor.key in FROM_SETTINGS
    return (
        f"`{factor.key}`",
        "from settings" if settings_made else _shown(factor.default),
        "from settings" if settings_made else _range(factor),
        _alone(factor),
        _step(factor),
        factor.acts_on,
    )


def _section(factor: FactorDefinition) -> str:
    also = f" Also called {', '.join(f'`{alias}`' for alias in factor.aliases)}." if factor.aliases else ""
    rest = f" After a rollback it rests for {factor.cooldown_cycles} activations." if factor.cooldown_cycles else ""
    return f"\n## {factor.title}: `{factor.key}`\n\n{factor.doc}{also}\n\n{factor.reason}{rest}\n"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _range(factor: FactorDefinition) -> str:
    if factor.type in ("int", "float"):
        return f"{factor.low:g}–{factor.high:g}"
    return ", ".join(_shown(value) for value in allowed_text(factor))


def _alone(factor: FactorDefinition) -> str:
    if factor.manual or not factor.auto:
        return "never"
    if factor.needs_ab_test:
        return "after an A/B test"
    return f"{factor.auto_low:g}–{factor.auto_high:g}" if factor.type in ("int", "float") else "yes"


def _step(factor: FactorDefinition) -> str:
    if factor.step is None:
        return "–"
    return f"±{factor.step:.0%}" if factor.step_relative else f"±{factor.step:g}"
