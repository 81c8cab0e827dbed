"""A comparison: figures of every variation, what is judged, and what becomes of failures."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from runs_by_hand import NOTHING, estimated, plan, searched

from experiments import comparison

A, B = "rho=0.1", "rho=0.2"


def compared(*rows, **keywords):
    runs, histories = [row[0] for row in rows], {row[0].id: row[1] for row in rows}
    return comparison.of(runs, histories, **keywords)


def of(found, name):
    return next(one for one in found.variations if one.name == name)


def lines(found, *words):
    return [line for line in comparison.sentences(found) if all(word in line for word in words)]


def test_scores_of_a_search_have_their_quantiles_in_the_users_sign():
    rows = [searched(A, seed, [seed * 1.0]) for seed in range(1, 21)]
    up = of(compared(*rows), A).figure
    assert (up.low, up.lower, up.median, up.upper, up.high) == (1.5, 5.5, 10.5, 15.5, 19.5)
    assert (up.best, up.worst) == (20.0, 1.0)
    down = [searched(A, seed, [seed * 1.0], job="minimize") for seed in range(1, 21)]
    figure = of(compared(*down), A).figure
    assert (figure.median, figure.best, figure.worst) == (10.5, 1.0, 20.0)


def test_failed_runs_rank_worst_and_are_told():
    rows = [searched(A, seed, [10.0]) for seed in range(6)]
    rows += [
        searched(B, seed, [20.0], status="failed" if seed < 4 else "done") for seed in range(6)
    ]
    found = compared(*rows)
    assert of(found, B).figure.median == -math.inf
    assert of(found, B).failed == 4
    assert found.best == A
    assert lines(found, "runs failed, and rank worst: 4 of rho=0.2")
    assert (found.pairs[0].better, found.pairs[0].worse, found.pairs[0].failed) == (4, 2, (0, 4))


def test_runs_that_are_not_finished_are_left_out_and_told():
    rows = [searched(A, 1, [1.0]), searched(A, 2, [5.0], status="running")]
    rows += [searched(A, 3, [], status="planned")]
    found = compared(*rows)
    assert (of(found, A).done, of(found, A).unfinished) == (1, 2)
    assert of(found, A).figure.worst == 1.0
    assert lines(found, "not finished, and left out: 2 of rho=0.1")


def test_a_study_without_any_finished_run_has_no_figures_and_says_so():
    found = compared(searched(A, 1, [], status="planned"), searched(B, 1, [], status="planned"))
    assert (of(found, A).figure, found.pairs, found.best, found.target) == (None, (), None, None)
    assert lines(found, "nothing to judge")
    assert len(comparison.tables(found)[0].rows) == 2


def test_the_order_of_the_plan_is_kept():
    rows = [searched(name, 1, [1.0]) for name in (A, B)]
    found = compared(*rows, plan=plan({B: {"rho": 0.2}, A: {"rho": 0.1}}))
    assert [one.name for one in found.variations] == [B, A]
    assert of(found, B).changes == {"rho": 0.2}


def test_the_target_is_the_studys_then_the_optimum_then_the_best_median():
    rows = [searched(A, seed, [8.0, 9.0], known=10.0) for seed in range(3)]
    assert compared(*rows, plan=plan({A: {}}, target=7)).target.value == 7
    assert compared(*rows, plan=plan({A: {}}, target=7), target=8).target.value == 8
    found = compared(*rows)  # none has found the optimum
    assert (found.target.value, found.target.given) == (9.0, False)
    assert lines(found, "target: score 9", "from these very runs, so it is not tested")
    rows.append(searched(A, 9, [10.0], known=10.0))
    found = compared(*rows)
    assert (found.target.value, found.target.given) == (10.0, True)


def test_a_target_that_is_from_the_data_is_not_tested():
    rows = [searched(name, seed, [8.0, 9.0]) for name in (A, B) for seed in range(8)]
    assert {pair.measure for pair in compared(*rows).pairs} == {"best score"}
    given = compared(*rows, target=9)
    assert {pair.measure for pair in given.pairs} == {"best score", "evaluations to reach 9"}


def test_the_running_time_counts_what_every_run_spent_until_it_hit():
    rows = [searched(A, 1, [1.0, 5.0, 9.0]), searched(A, 2, [1.0, 2.0, 3.0])]
    found = of(compared(*rows, target=5), A)
    assert found.running.time == 200 + 300  # the second iteration of one, all of the other
    assert (found.reached.count, found.reached.of) == (1, 2)
    assert found.profiles[0].evaluations.tolist() == [200.0]
    assert found.profiles[0].share(1e9) == 0.5


def test_the_running_time_to_a_score_to_minimise():
    rows = [searched(A, 1, [9.0, 4.0, 1.0], job="minimize")]
    assert of(compared(*rows, target=4), A).running.time == 200


def test_a_target_that_nobody_reached_is_said_in_words():
    found = compared(searched(A, 1, [1.0]), target=5)
    assert math.isinf(of(found, A).running.time)
    assert lines(found, "no running time can be told, as the target was never reached: rho=0.1")
    assert "never" in comparison.tables(found)[1].rows[0]


def test_a_better_variation_is_called_better_whichever_comes_first():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=12)
    low = [searched(A, seed, [s]) for seed, s in enumerate(scores)]
    high = [searched(B, seed, [s + 1]) for seed, s in enumerate(scores)]
    for rows in (low + high, high + low):
        (line,) = lines(compared(*rows), "is better than")
        assert "rho=0.2 is better than rho=0.1: difference +1 in the median of 12 seeds" in line
        assert "better in 12, equal in 0, worse in 0; p = 0.00049" in line


def test_few_seeds_are_called_too_few_whatever_they_say():
    rows = [searched(A, s, [1.0]) for s in range(5)] + [searched(B, s, [2.0 + s]) for s in range(5)]
    assert lines(compared(*rows), "no difference can be told", "5 common seeds are too few")
    assert compared(*rows).pairs[0].verdict == "none"


def test_equal_runs_are_called_equal():
    rows = [searched(name, s, [s * 1.0]) for name in (A, B) for s in range(8)]
    assert lines(compared(*rows), "no difference: rho=0.1 and rho=0.2 are equal in all 8 seeds")


def test_only_common_seeds_are_paired():
    rows = [searched(A, s, [s * 1.0]) for s in range(10)]
    rows += [searched(B, s, [s + 1.0]) for s in range(3, 14)]
    pair = compared(*rows).pairs[0]
    assert (pair.paired, pair.n, pair.worse) == (True, (7, 7), 7)


def test_runs_of_different_seeds_are_compared_as_two_groups():
    rows = [searched(A, s, [s * 1.0]) for s in range(10)]
    rows += [searched(B, s + 100, [s + 20.0]) for s in range(9)]
    found = compared(*rows)
    assert (found.pairs[0].paired, found.pairs[0].n) == (False, (10, 9))
    assert lines(found, "rho=0.2 is better", "10 runs", "better in 100% of all pairs of runs")


def test_a_seed_that_was_run_twice_counts_once():
    rows = [searched(A, 1, [1.0]), searched(A, 1, [1.0]), searched(A, 2, [3.0])]
    found = compared(*rows)
    assert (of(found, A).done, of(found, A).repeated) == (2, 1)
    assert of(found, A).figure.median == 2.0
    assert lines(found, "repeated with the same seed, and left out: 1 of rho=0.1")


def test_of_many_variations_only_pairs_with_the_best_are_told_but_all_are_corrected_for():
    rows = [searched(f"rho={k}", s, [k + s / 10]) for k in range(7) for s in range(8)]
    found = compared(*rows)
    assert found.best == "rho=6"
    assert len(found.pairs) == 6
    assert found.n_tests == 21
    assert {pair.tests for pair in found.pairs} == {21}


def test_of_many_variations_one_line_tells_what_the_best_is_better_than_and_what_not():
    near = [searched("rho=9", s, [9 + (-1) ** s / 10]) for s in range(16)]
    rows = [searched(f"rho={k}", s, [k + s / 100]) for k in range(7) for s in range(16)]
    found = compared(*rows, *near, *(searched("rho=8", s, [9.0]) for s in range(16)))
    best = found.best
    other = {"rho=9": "rho=8", "rho=8": "rho=9"}[best]
    worse = "; ".join(f"rho={k}" for k in range(7))
    assert lines(found, f"best score: {best} is better than 7 others: {worse}")
    assert lines(
        found, f"best score: no difference can be told between {best} and 1 other: {other}"
    )
    assert len(lines(found, "best score: ")) == 2
    assert lines(found, f"only the pairs with the best, {best}, are told, corrected for 36 tests")


def test_of_many_equal_variations_no_list_is_told():
    rows = [searched(f"rho={k}", s, [1.0]) for k in range(7) for s in range(16)]
    told = lines(
        compared(*rows), "best score: no difference can be told between rho=0 and any of 6 o"
    )
    assert len(told) == 1


def test_estimates_are_told_with_their_true_error_and_coverage():
    rows = [estimated(A, 1, 0.8, 0.1, known=1.0), estimated(A, 2, 1.1, 0.1, known=1.0)]
    found = of(compared(*rows), A)
    assert found.rms_error == pytest.approx(math.sqrt((0.2**2 + 0.1**2) / 2))
    assert (found.coverage.count, found.coverage.of) == (1, 2)
    assert found.work == pytest.approx(found.rms_error**2 * 1000)
    assert found.relative_error == pytest.approx(0.1)


def test_without_the_exact_value_the_reported_error_is_taken():
    found = compared(estimated(A, 1, 0.8, 0.1), estimated(A, 2, 1.1, 0.3))
    assert (of(found, A).rms_error, of(found, A).coverage) == (None, None)
    assert of(found, A).work == pytest.approx((0.1**2 + 0.3**2) / 2 * 1000)


def test_two_unbiased_estimates_of_the_same_work_are_not_called_different():
    rng = np.random.default_rng(5)
    rows = [
        estimated(name, s, math.exp(0.1 * rng.normal()), 0.1 * rng.uniform(0.9, 1.1), known=1.0)
        for name in (A, B)
        for s in range(40)
    ]
    found = compared(*rows)
    assert [pair.verdict for pair in found.pairs] == ["none", "none"]


def test_an_estimate_of_less_work_is_called_better():
    rows = [
        estimated(name, s, 1.0 + 0.01 * s, error, known=0.9)
        for name, error in ((A, 0.05), (B, 0.1))
        for s in range(10)
    ]
    (line,) = lines(compared(*rows), "reported relative variance x evaluations")
    assert "rho=0.1 is better than rho=0.2: ratio 0.25 in the median of 10 seeds" in line


def test_an_estimate_without_success_ranks_worst():
    rows = [estimated(A, s, 1.0, 0.2, known=1.1) for s in range(8)]
    rows += [estimated(B, s, 1.1, 0.01, known=1.1, success=False) for s in range(8)]
    found = compared(*rows)
    assert {pair.verdict for pair in found.pairs} == {"better"}
    assert lines(found, "done without success, and rank worst in the tests: 8 of rho=0.2")
    assert of(found, B).reached.count == 0


def test_intervals_that_cover_too_rarely_are_told():
    rows = [estimated(A, s, 2.0 if s % 2 else 1.0, 0.1, known=1.0) for s in range(20)]
    assert lines(compared(*rows), "rho=0.1 reports too small errors: only 10 of 20")


def test_an_estimate_reaches_an_error_when_its_final_sample_does():
    row = estimated(
        A, 1, 1.0, 0.05, steps=[(500, NOTHING), (600, 4.0), (700, 100.0), (1000, 400.0)]
    )
    found = compared(row, target=0.1)
    assert of(found, A).running.time == 700  # 200 final samples, 100 of them effective: 7.1 %
    errors = of(found, A).band.median
    assert errors[0] == pytest.approx(math.sqrt((1 / 4 - 1 / 100) * 100 / 99))
    assert errors[-1] < errors[100] < errors[0]


def test_one_problem_and_one_job_can_be_compared():
    with pytest.raises(
        ValueError, match=r"only runs of one problem and job .* maximize p, minimize p"
    ):
        compared(searched(A, 1, [1.0]), searched(B, 1, [1.0], job="minimize"))
    with pytest.raises(ValueError, match="expected runs, got none"):
        comparison.of([], {})
    with pytest.raises(ValueError, match="a target must be a finite number; got nan"):
        compared(searched(A, 1, [1.0]), target=math.nan)


def test_the_band_carries_the_last_value_of_a_run_that_has_ended():
    found = compared(searched(A, 1, [1.0, 2.0]), searched(A, 2, [3.0, 3.0, 3.0, 9.0]))
    band = of(found, A).band
    assert (band.evaluations[0], band.evaluations[-1], band.of) == (100.0, 400.0, 2)
    assert (band.median[0], band.median[-1]) == (2.0, 5.5)
    assert (band.lower[-1], band.upper[-1]) == (2.0, 9.0)


def test_everything_can_be_said_in_strict_json():
    rows = [searched(A, 1, [1.0]), searched(B, 1, [2.0], status="failed")]
    text = json.dumps(compared(*rows, target=5).as_dict(), allow_nan=False)
    assert json.loads(text)["variations"][0]["running"]["time"] is None
    assert json.loads(text)["pairs"][0]["verdict"] == "none"


def test_a_table_fits_a_hundred_columns_whatever_the_names():
    name = "rho=0.1, alpha=0.7, n_samples=1000, smoothing=dynamic, method=ce+refine"
    rows = [searched(name, 1, [123456.789]), searched(name + "longer" * 20, 1, [1.0])]
    for table in comparison.tables(compared(*rows)):
        text = comparison.aligned(table)
        assert max(map(len, text.splitlines())) <= 100
        assert "".join(text.split()).count("method=ce+refine") == 2
    rows = [estimated(name, s, 1.23456789e-15 * s, 0.1, known=1.3e-15) for s in range(1, 150)]
    for table in comparison.tables(compared(*rows)):
        assert max(map(len, comparison.aligned(table).splitlines())) <= 100


def test_the_error_of_a_mean_is_relative():
    def meant(variation, seed, mean, known):
        run, history = estimated(variation, seed, mean, 0.1, known=known)
        result = {key: value for key, value in run.result.items() if key != "probability"}
        return replace(run, job="expectation", result=result | {"mean": mean}), history

    rows = [meant(A, s, -2.2, -2.0) for s in range(8)] + [meant(B, s, -2.1, -2.0) for s in range(8)]
    found = compared(*rows)
    assert found.figure == "mean"
    assert of(found, A).rms_error == pytest.approx(0.1)
    pair = next(pair for pair in found.pairs if pair.measure == "squared error x evaluations")
    assert pair.difference == pytest.approx(4.0)  # twice the error
    assert pair.verdict == "worse"


def test_what_one_test_would_call_better_may_be_chance_among_many():
    def rows(names):
        return [searched(n, s, [s + k * (s > 0)]) for k, n in enumerate(names) for s in range(8)]

    alone = compared(*rows((A, B))).pairs[0]
    assert (alone.p, alone.corrected, alone.verdict) == (1 / 64, 1 / 64, "worse")
    among = compared(*rows((A, B, "rho=0.3", "rho=0.4"))).pairs[0]
    assert (among.p, among.corrected, among.verdict) == (1 / 64, 6 / 64, "none")
    found = compared(*[row for row in rows((A, B, "rho=0.3", "rho=0.4")) if row[0].seed > 1])
    assert lines(found, "6 common seeds are too few for 6 tests; at least 8 are needed")


def test_the_difference_is_the_median_whatever_one_seed_does():
    rows = [searched(A, s, [0.0]) for s in range(7)]
    rows += [searched(B, s, [1000.0 if s == 3 else 1.0 + s / 100]) for s in range(7)]
    assert compared(*rows).pairs[0].difference == pytest.approx(-1.04)


def test_a_run_that_is_done_counts_before_one_of_the_same_seed_that_failed():
    rows = [searched(A, 1, [4.0]), searched(A, 1, [4.0], status="failed")]
    for found in (compared(*rows), compared(*rows[::-1])):
        one = of(found, A)
        assert (one.figure.median, one.done, one.failed, one.repeated) == (4.0, 1, 0, 1)
        assert not lines(found, "rank worst")


def noisy(name, seed, answer):
    """A search whose luckiest score is 10, and whose answer is judged by fresh numbers."""
    run, history = searched(name, seed, [8.0, 10.0])
    return replace(run, result=run.result | {"fun": answer, "nfev": 250}), history


def test_under_noise_a_lucky_score_reaches_no_target_but_an_answer_does():
    rows = [noisy(A, seed, 7.0) for seed in range(8)] + [noisy(B, seed, 9.0) for seed in range(8)]
    found = compared(*rows, target=8.5)
    assert found.noisy
    assert lines(found, "the scores are noisy")
    assert [one.reached.count for one in found.variations] == [0, 8]
    assert of(found, B).running.time == 250
    assert lines(found, "evaluations to reach 8.5: rho=0.2 is better", "did not reach it in 8")
    assert not compared(searched(A, 1, [8.0, 10.0])).noisy


def test_where_half_of_the_runs_of_either_miss_the_target_nothing_is_nan():
    rows = [searched(A, seed, [9.0 if seed < 4 else 0.0]) for seed in range(8)]
    rows += [searched(B, seed, [0.0 if seed < 4 else 9.0]) for seed in range(8)]
    pair = compared(*rows, target=9).pairs[1]
    assert (pair.difference, pair.verdict) == (1.0, "none")
    assert tuple(pair.interval) == (0.0, math.inf)


def test_a_target_that_neither_reaches_is_no_difference():
    rows = [searched(name, seed, [1.0]) for name in (A, B) for seed in range(6)]
    said = f"evaluations to reach 5: no difference: neither {A} nor {B} had a success in any of 6"
    assert lines(compared(*rows, target=5), said)


def test_pairs_that_never_reach_the_target_share_one_line():
    rows = [searched(f"rho={k}", s, [float(k > 3)]) for k in (1, 2, 3, 4) for s in range(6)]
    told = lines(compared(*rows, target=1), "evaluations to reach 1: no difference can be told")
    never = "in 3 pairs of variations: neither had a success in any common seed"
    assert [line for line in told if "neither" in line] == [
        f"evaluations to reach 1: no difference can be told {never}"
    ]


def test_pairs_with_too_few_seeds_share_one_line():
    rows = [searched(f"rho={k}", seed, [k * 1.0]) for k in (1, 2, 3) for seed in range(5)]
    (line,) = lines(compared(*rows), "no difference")
    assert line.startswith(
        "best score: no difference can be told in 3 pairs of variations: 5 common"
    )
    assert line.endswith("seeds are too few for 3 tests; at least 7 are needed")


def test_different_optima_are_told_as_different_problems():
    rows = [searched(A, 1, [1.0], known=1.0), searched(B, 1, [2.0], known=2.0)]
    assert lines(compared(*rows), "the runs have 2 different optima")
    assert not lines(compared(*rows[:1]), "different optima")


def test_among_many_variations_one_may_cover_rarely_by_chance():
    rows = [estimated(A, seed, 1e-3 if seed < 16 else 2e-3, 0.1, known=1e-3) for seed in range(20)]
    assert lines(compared(*rows), "rho=0.1 reports too small errors")
    for k in range(20):
        rows += [estimated(f"rho={k + 1}", seed, 1e-3, 0.1, known=1e-3) for seed in range(20)]
    assert not lines(compared(*rows), "reports too small errors")
