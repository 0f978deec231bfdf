"""Drawings and figures: what is known is drawn, what is not known is left out."""

from __future__ import annotations

import pytest

from contracts.goal import Constraint
from selflearn_site.pages import charts, svg
from selflearn_site.pages.selectors.cases import differences
from selflearn_site.pages.selectors.criteria import criterion_rows
from selflearn_site.pages.selectors.curves import mean_interval
from selflearn_site.pages.selectors.standing import constraint_limit


def test_sparkline__fewer_than_two_points__draws_nothing() -> None:
    assert svg.sparkline([0.3]) == svg.sparkline([None, 0.3, None]) == ""


def test_sparkline__gap__is_bridged() -> None:
    assert svg.sparkline([0.1, None, 0.3]).count(" L") == 1


def test_interval__no_estimate__draws_nothing() -> None:
    assert svg.interval(estimate=None, low=None, high=None) == ""


def test_interval__floor__has_its_margin_left_of_zero() -> None:
    drawing = svg.interval(estimate=0.0, low=-0.01, high=0.01, margin=0.03, floor=True)
    ceiling = svg.interval(estimate=0.0, low=-0.01, high=0.01, margin=0.03, floor=False)
    left = float(drawing.split('class="margin" x="')[1].split('"')[0])
    right = float(ceiling.split('class="margin" x="')[1].split('"')[0])
    assert left < 110 <= right


def test_interval__one_sided__reaches_the_border() -> None:
    assert 'x1="4.0"' in svg.interval(estimate=0.1, low=None, high=0.2)


def test_interval__label__is_escaped() -> None:
    assert "<b>" not in svg.interval(estimate=0.1, low=0, high=0.2, label="<b>")


def line(*marks: charts.Mark) -> charts.Line:
    return charts.Line("retrieval_recall", "recall", marks, target=0.6, target_text="target")


def test_progress__version_changed__has_one_tick_there() -> None:
    figure = charts.progress([line(charts.Mark("1", 1, 0.3), charts.Mark("2", 1, 0.3), charts.Mark("3", 2, 0.4))])
    dotted = [shape["x0"] for shape in figure["layout"]["shapes"] if shape["line"]["dash"] == "dot"]
    assert dotted == [2]


def test_progress__rolled_back_version__is_marked() -> None:
    figure = charts.progress([line(charts.Mark("1", 1, 0.3), charts.Mark("2", 6, 0.3))], rolled_back=[6])
    assert "v6↩" in figure["layout"]["xaxis"]["ticktext"][1]


def test_progress__long_names__have_room_on_the_right() -> None:
    long = charts.Line("retrieval_recall", "точность поиска", (charts.Mark("1", 1, 0.3),))
    widths = [charts.progress([item])["layout"]["margin"]["r"] for item in (line(charts.Mark("1", 1, 0.3)), long)]
    assert widths[1] - widths[0] >= 6 * (len("точность поиска") - len("recall"))


def test_progress__intervals__become_a_band_and_rows() -> None:
    marks = (charts.Mark("1", 1, 0.3, 50, 0.2, 0.4), charts.Mark("2", 1, 0.35, 50, 0.25, 0.45))
    figure = charts.progress([line(*marks)])
    assert figure["data"][0]["y"] == [0.4, 0.45, 0.25, 0.2]
    assert charts.rows([line(*marks)])[0]["low_95"] == 0.2


def test_progress__nothing_measured__is_an_empty_figure() -> None:
    assert charts.progress([])["data"] == []


def test_mean_interval__independent__is_students() -> None:
    """Against scipy.stats.t.interval of the same values."""
    from scipy import stats

    values = [0.0, 1.0, 1.0, 0.5, 0.0, 1.0]
    found = mean_interval([(1, value, value * value) for value in values])
    sem = stats.sem(values)
    expected = stats.t.interval(0.95, len(values) - 1, sum(values) / len(values), sem)
    assert found == pytest.approx(expected)


def test_mean_interval__two_clusters__is_unknown() -> None:
    assert mean_interval([(10, 5.0, 5.0), (10, 4.0, 4.0)]) is None


def test_differences__pairs__worst_first() -> None:
    def sample(example: str, variant: str, value: float | None) -> dict[str, object]:
        return {"example_id": example, "variant": variant, "metrics": {"retrieval_recall": value}}

    rows = [sample("a", "baseline", 1.0), sample("a", "variant", 0.0), sample("b", "baseline", 0.0)]
    rows += [sample("b", "variant", 1.0), sample("c", "baseline", 1.0), sample("c", "variant", None)]
    assert differences(rows, metric="retrieval_recall") == [("a", -1.0), ("b", 1.0)]


def criterion(direction: str, level: float) -> dict[str, object]:
    return {
        "metric": "retrieval_recall", "direction": direction, "estimate": 0.1, "low": 0.05, "high": 0.15,
        "p_value": 0.01, "passes": True, "reason": "", "n": 50, "level": level,
    }  # fmt: skip


def test_criteria__interval__names_the_level_it_was_made_at() -> None:
    rows = criterion_rows(
        [criterion("increase", 0.05), criterion("increase", 0.025), criterion("no_large_drop", 0.05)], {}
    )
    assert [row.confidence for row in rows] == ["95 %", "97.5 %", "90 %"]


def test_constraint__no_amount_named__allows_what_the_guards_allow() -> None:
    assert constraint_limit(Constraint(metric="retrieval_precision", kind="no_large_drop"), 0.40) == (0.37, True)


@pytest.mark.parametrize("metric", ["token_cost", "latency_p95"])
def test_constraint__ratio_metric__is_relative(metric: str) -> None:
    limit, floor = constraint_limit(Constraint(metric=metric, kind="no_large_rise", value=0.1), 200.0)
    assert limit == pytest.approx(220.0)
    assert not floor
