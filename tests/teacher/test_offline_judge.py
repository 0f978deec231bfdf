"""The offline judge: support by the context, stale values, claims of what was never told, honest abstention."""

from __future__ import annotations

from typing import Any

import pytest

from llm.offline.answer import answer
from llm.offline.phrases import ABSTENTION, ACKNOWLEDGEMENT, GREETING, GUESSES
from teacher.judges.offline import context_texts, judge
from teacher.judges.protocol import Case, Marks

CONTEXT = """## Memories
[1] 2025-03-02 | Anna: I moved to Kazan and work there as a potter.
[2] 2025-01-10 | My brother Oleg bought a green bicycle.

## Recent exchanges
User: The cat is called Murka.
Assistant: Oh, I am with you.

## Question
Where does Anna live?"""
GROUNDED = "Answer only from the memories. If the memories do not contain the answer, say that you do not know."


def marks(text: str, **more: Any) -> Marks:
    given: dict[str, Any] = {
        "answer": text, "context": CONTEXT, "found": 2, "hits": 1, "should_retrieve": True, "key_facts": (),
        "forbidden": (), **more,
    }  # fmt: skip
    return judge(Case(**given))


def test_judge__claim_from_a_memory__is_supported_and_used() -> None:
    assert marks("I moved to Kazan and work there as a potter.") == Marks(True, False, ())


def test_judge__claim_in_other_forms_of_the_words__is_supported() -> None:
    assert marks("Anna works as a potter in Kazan.").hallucination is False


@pytest.mark.parametrize(("known", "supported"), [(3, True), (2, False)])
def test_judge__claim__is_supported_from_three_of_five_words(known: int, supported: bool) -> None:
    memory, invented = ["kiln", "harbour", "violin"], ["zebra", "quartz", "walnut"]
    claim = " ".join([*memory[:known], *invented[: 5 - known]])

    found = marks(claim, context="## Memories\n[1] kiln harbour violin\n## Question\n?")

    assert found.hallucination is not supported


def test_judge__claim_mixed_from_two_memories__has_no_memory_that_supports_it() -> None:
    found = marks("Oleg moved to Kazan with a bicycle.")

    assert found.hallucination is True
    assert found.reasons == ("no memory supports: Oleg moved to Kazan with a bicycle.",)


def test_judge__second_sentence_without_support__is_a_hallucination_though_context_was_used() -> None:
    found = marks("I moved to Kazan and work there as a potter. The weather is splendid in winter.")

    assert (found.context_utilized, found.hallucination) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-02: I moved to Kazan and work there as a potter.",
        "2025-03-02, Anna: I moved to Kazan and work there as a potter.",
        "2025-03-02, Anna: moved.",
        "Anna: moved to Kazan.",
    ],
)
def test_judge__date_and_speaker_of_the_memory__are_evidence(text: str) -> None:
    assert marks(text) == Marks(True, False, ())


def test_judge__date_of_another_memory__is_no_evidence() -> None:
    assert marks("2025-01-10: moved.").hallucination is True


def test_judge__engines_own_dated_answer__is_supported_by_its_own_context() -> None:
    question = CONTEXT.replace("Where does Anna live?", "When did Anna move to Kazan?")
    said = answer(system_prompt=GROUNDED, message=question, temperature=0.0, seed=1)

    assert said.text.startswith("2025-03-02, Anna: ")
    assert marks(said.text, context=question) == Marks(True, False, ())


def test_judge__claim_from_a_recent_exchange__is_supported_but_uses_no_memory() -> None:
    assert marks("The cat is called Murka.") == Marks(False, False, ())


def test_judge__words_of_the_question__are_no_evidence() -> None:
    asked = CONTEXT.replace("Where does Anna live?", "Does Anna live in Lisbon?")

    assert marks("Anna lives in Lisbon.", context=asked).hallucination is True


@pytest.mark.parametrize("text", [*ABSTENTION.values(), "Sorry, I don't have any information about that."])
@pytest.mark.parametrize("should_retrieve", [True, False, None])
def test_judge__abstention__is_never_a_hallucination(text: str, should_retrieve: bool | None) -> None:
    found = marks(text, should_retrieve=should_retrieve, forbidden=("memory", "памяти", "information"))

    assert (found.hallucination, found.reasons) == (False, ())


@pytest.mark.parametrize(("hits", "used"), [(1, False), (0, None)])
def test_judge__abstention__misses_the_context_only_if_that_held_the_answer(hits: int, used: bool | None) -> None:
    assert marks(ABSTENTION["en"], hits=hits).context_utilized is used


@pytest.mark.parametrize("text", [*ACKNOWLEDGEMENT.values(), *GREETING.values(), ""])
def test_judge__remark_that_claims_nothing__is_no_hallucination(text: str) -> None:
    assert marks(text, should_retrieve=False).hallucination is False


@pytest.mark.parametrize(
    "text", [guess for kinds in GUESSES.values() for options in kinds.values() for guess in options]
)
def test_judge__guess__is_supported_by_nothing(text: str) -> None:
    assert marks(text).hallucination is True


def test_judge__anything_claimed_where_nothing_was_told__is_a_hallucination_even_if_supported() -> None:
    found = marks("I moved to Kazan and work there as a potter.", should_retrieve=False)

    assert found.reasons == ("claims something that was never told",)


def test_judge__stale_value__is_a_hallucination_though_a_memory_supports_it() -> None:
    found = marks("I moved to Kazan and work there as a potter.", key_facts=("Samara",), forbidden=("kazan",))

    assert found.reasons == ("says what no longer holds: kazan",)
    assert found.context_utilized is True


def test_judge__stale_value_beside_what_holds_now__is_a_correction() -> None:
    context = "## Memories\n[1] I moved from Kazan to Samara.\n## Question\nWhere?"

    found = marks("I moved from Kazan to Samara.", context=context, key_facts=("Samara",), forbidden=("Kazan",))

    assert found.hallucination is False


@pytest.mark.parametrize(
    ("said", "forbidden", "stale"),
    [
        ("I paid 20 roubles", "20", True),
        ("I paid 2025 roubles", "20", False),
        ("I paid 120 roubles", "20", False),
        ("It was in Kazanka", "Kazan", True),
        ("It was in a cart", "art", False),
        ("Ёлка стоит в зале", "елка", True),
        ("в среду вечером", "сред", True),
        ("nothing  of\nthe sort", "of the", True),
        ("anything", "", False),
    ],
)
def test_judge__forbidden_value__counts_where_a_word_begins_with_it(said: str, forbidden: str, stale: bool) -> None:
    found = marks(said, context=f"## Memories\n[1] {' '.join(said.split())}\n## Question\n?", forbidden=(forbidden,))

    assert any(reason.startswith("says what no longer holds") for reason in found.reasons) is stale


def test_judge__nothing_found__context_was_not_used() -> None:
    found = marks("I moved to Kazan.", context="## Question\nWhere?", found=0, hits=0)

    assert (found.context_utilized, found.hallucination) == (False, True)


def test_judge__right_memories_but_a_wrong_answer__is_a_hallucination() -> None:
    found = marks("Anna lives in Lisbon.", hits=2)

    assert (found.context_utilized, found.hallucination) == (False, True)


def test_judge__wrong_memories_but_a_right_supported_answer__is_none() -> None:
    assert marks("Anna works as a potter in Kazan.", hits=0, key_facts=("Kazan",)) == Marks(True, False, ())


def test_judge__right_answer_that_no_memory_supports__is_still_made_up() -> None:
    assert marks("Her daughter studies chemistry.", hits=0, key_facts=("chemistry",)).hallucination is True


def test_judge__same_case_twice__gives_the_same_marks() -> None:
    assert marks("Anna lives in Lisbon.") == marks("Anna lives in Lisbon.")


def test_context_texts__payload__gives_memories_and_exchanges_without_marks() -> None:
    assert context_texts(CONTEXT) == (
        [
            "2025-03-02 | Anna: I moved to Kazan and work there as a potter.",
            "2025-01-10 | My brother Oleg bought a green bicycle.",
        ],
        ["The cat is called Murka.", "Oh, I am with you."],
    )
