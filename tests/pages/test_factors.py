"""Impact factors on their pages: seen by everybody, frozen, bounded and set back by a meta-user, with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEntry
from selflearn_site.pages.headline import factor_news, factors_news
from tuner.factors import factor_now, factor_state
from tuner.registry import FACTORS

KEY = "retrieval.top_k"


def do(client: Client, verb: str, key: str = KEY, **data: str) -> str:
    address = reverse("pages:factor_do", args=[key, verb])
    data = {"seen": factor_state(key).tag, "next": reverse("pages:factor", args=[key]), **data}
    return client.post(address, data, follow=True).content.decode()


def shown(client: Client, key: str = KEY) -> str:
    return client.get(reverse("pages:factor", args=[key])).content.decode()


def test_list__every_factor__stands_with_its_limits_and_is_linked_from_parameters(viewer: Client) -> None:
    text = viewer.get(reverse("pages:factors")).content.decode()
    assert all(key in text for key in FACTORS)
    assert "<h1>Every factor is as the registry has it.</h1>" in text
    assert reverse("pages:factors") in viewer.get("/parameters/").content.decode()


def test_factor__any__shows_type_default_ranges_step_cooldown_aliases_and_documentation(viewer: Client) -> None:
    text = shown(viewer, "top_k")
    wanted = ("1 – 20", "1 – 5", "a whole number", "retrieval_top_k", FACTORS[KEY].doc, FACTORS[KEY].reason)
    assert [piece for piece in wanted if piece not in text] == []


def test_factor__viewer__is_offered_nothing_to_change(viewer: Client) -> None:
    text = shown(viewer)
    assert "Freeze…" not in text
    assert 'id="limits"' not in text


def test_freeze_and_thaw__meta_user__holds_is_said_and_logged(meta_user: Client) -> None:
    until = timezone.localtime() + timedelta(days=2)
    told = do(meta_user, "freeze", reason="repair", until=f"{until:%Y-%m-%dT%H:%M}")
    assert "Frozen: nobody changes this factor" in told
    assert f"It is frozen until {until:%Y-%m-%d %H:%M}.</h1>" in told
    assert "then it thaws by itself. “repair”" in told
    assert factor_now(KEY).frozen
    assert "One factor is frozen." in meta_user.get(reverse("pages:factors")).content.decode()
    assert "Thawed" in do(meta_user, "thaw", reason="repaired")
    assert not factor_now(KEY).frozen
    reasons = AuditEntry.objects.filter(action="factor.changed", parameter=KEY).order_by("id")
    assert list(reasons.values_list("reason", flat=True)) == ["repair", "repaired"]


def test_bound_and_reset__meta_user__holds_and_is_taken_back(meta_user: Client) -> None:
    told = do(
        meta_user, "bound", auto_low="2", auto_high="4", step="", cooldown_cycles="5", manual="yes", reason="less"
    )
    assert "The limits hold from now on." in told
    now = factor_now(KEY)
    assert (now.auto_low, now.auto_high, now.step, now.cooldown_cycles, now.manual) == (2, 4, 1, 5, True)
    assert 'name="auto_high" inputmode="decimal" value="4"' in shown(meta_user)
    assert "One factor has limits of your own." in meta_user.get(reverse("pages:factors")).content.decode()
    assert "as the registry has it" in do(meta_user, "reset", reason="too little")
    assert factor_now(KEY) == FACTORS[KEY]


def test_bound__decimal_comma__is_a_number(meta_user: Client) -> None:
    do(meta_user, "bound", "retrieval.min_score", auto_high="0,4", reason="less")
    assert factor_now("retrieval.min_score").auto_high == 0.4


@pytest.mark.parametrize(
    ("verb", "data", "said"),
    [
        ("bound", {"auto_high": "30"}, "outside what is possible at all"),
        ("bound", {"auto_high": "four"}, "is no number"),
        ("bound", {"auto_high": "nan"}, "a finite number"),
        ("bound", {"cooldown_cycles": "2.5"}, "is no number"),
        ("bound", {"cooldown_cycles": "-1"}, "not below 0"),
        ("bound", {"cooldown_cycles": "99999999"}, "at most 1000"),
        ("bound", {"auto_high": "4", "reason": " "}, "needs a reason"),
        ("freeze", {"until": "2020-01-01T00:00"}, "The end of a freeze lies ahead."),
        ("freeze", {"until": "tomorrow"}, "is no date and time"),
        ("freeze", {"seen": "0" * 16}, "changed since you looked"),
    ],
)
def test_change__wrong__is_said_and_changes_nothing(
    meta_user: Client, verb: str, data: dict[str, str], said: str
) -> None:
    told = do(meta_user, verb, **{"reason": "r", **data})
    assert 'class="error"' in told
    assert said in told
    assert factor_now(KEY) == FACTORS[KEY]


@pytest.mark.parametrize("who", ["viewer", "operator"])
@pytest.mark.parametrize("verb", ["freeze", "thaw", "bound", "reset"])
def test_change__forged_by_a_lower_role__is_refused(request: pytest.FixtureRequest, who: str, verb: str) -> None:
    client: Client = request.getfixturevalue(who)
    answer = client.post(reverse("pages:factor_do", args=[KEY, verb]), {"reason": "forged", "auto_high": "4"})
    assert answer.status_code == 403
    assert factor_now(KEY) == FACTORS[KEY]


def test_change__unknown_verb_or_factor__is_not_found(meta_user: Client) -> None:
    assert "There is nothing here." in do(meta_user, "melt", reason="r")
    assert meta_user.get(reverse("pages:factor", args=["no.such"])).status_code == 404


@pytest.mark.parametrize(
    ("frozen", "changed", "said"),
    [
        (0, 0, "Every factor is as the registry has it."),
        (1, 0, "One factor is frozen."),
        (2, 3, "Two factors are frozen. Three factors have limits of your own."),
    ],
)
def test_title__of_the_list__says_what_differs(frozen: int, changed: int, said: str) -> None:
    assert factors_news(frozen=frozen, changed=changed) == said


def test_title__of_a_factor__says_its_value_and_its_freeze() -> None:
    assert factor_news(title="Memories per query", value="3", frozen=False, until="") == "Memories per query is 3."
    assert factor_news(title="T", value="3", frozen=True, until="").endswith("It is frozen.")
    assert factor_news(title="T", value="3", frozen=True, until="14:00").endswith("It is frozen until 14:00.")
