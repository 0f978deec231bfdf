"""The ranked plan: what else was considered, and why it is not tested now."""

from __future__ import annotations

from teacher.designer import plan_explain, plan_list
from tests.teacher.plans import PRECISION, RECALL, difference, request, screened


def test_plan_list__several_promising_steps__ranks_three_of_them_each_with_its_own_spec() -> None:
    plans = plan_list(request(), [screened(name, **{PRECISION: gain}) for name, gain in
                                  (("a", 0.03), ("b", 0.06), ("c", 0.04), ("d", 0.05), ("e", -0.02))])  # fmt: skip

    assert isinstance(plans, list)
    assert [item.change.param for item in plans] == ["b", "d", "c"]
    assert [item.spec.variants[1].params for item in plans] == [{"b": 2}, {"d": 2}, {"c": 2}]


def test_plan_list__only_one_promises_enough__holds_no_other() -> None:
    weak = screened("weak", **{PRECISION: difference(0.01, error=0.04)})

    plans = plan_list(request(), [weak, screened("good", **{PRECISION: 0.05})])

    assert isinstance(plans, list)
    assert [item.change.param for item in plans] == ["good"]


def test_plan_explain__each_screened_step__has_its_rank_and_why_it_is_not_tested() -> None:
    items = [
        screened("next", **{PRECISION: 0.05}),
        screened("best", **{PRECISION: 0.06}),
        screened("worse", **{PRECISION: -0.02}),
        screened("unsure", **{PRECISION: difference(0.01, error=0.04)}),
        screened("breaks", **{PRECISION: 0.06, RECALL: -0.2}),
        screened("silent"),
    ]

    found = {item.change.param: item for item in plan_explain(request(), items, items[1].candidate.change)}

    assert list(found) == ["best", "next", "unsure", "worse", "breaks", "silent"]
    assert [item.rank for item in found.values()] == [1, 2, 3, 4, 5, 6]
    assert found["best"].reason == "it is tested now: the best promise"
    assert found["next"].reason == "it promises less; it would come next"
    assert found["worse"].reason == "retrieval precision did not improve on train (−.020)"
    assert found["unsure"].reason == "the gain of .010 is no larger than half its error"
    assert found["breaks"].reason == "it would break a guard: retrieval recall −.200"
    assert found["silent"].reason == "no question could be compared on retrieval precision"
    assert found["silent"].promise is None
