"""Statistics of few runs, against closed forms, brute force, and scipy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from suite import seeding, statistics

TRIALS = (0.61, 0.70, 0.55, 0.82, 0.64, 0.77)


def generator(*axes):
    return seeding.generator("test", *axes)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 10, 11])
def test_iqm_is_scipys_trimmed_mean(count):
    values = generator(count).normal(size=count)
    assert statistics.iqm(values) == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-15)


def test_iqm_of_ten_ignores_two_runs_at_zero_while_the_mean_does_not():
    healthy, failed = [0.9] * 10, [0.9] * 8 + [0.0] * 2
    assert statistics.iqm(failed) == statistics.iqm(healthy) == pytest.approx(0.9)
    assert statistics.mean(failed) == pytest.approx(0.72)


def test_hodges_lehmann_is_the_median_of_walsh_averages():
    values = generator("walsh").normal(size=7)
    averages = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(values, 2)]
    assert len(averages) == 28
    assert statistics.hodges_lehmann(values) == pytest.approx(np.median(averages), abs=1e-15)


def test_bootstrap_interval_is_the_exact_one_where_all_resamples_can_be_listed():
    values = np.array([0.1, 0.5, 0.6, 0.9])
    every = [statistics.iqm(np.array(drawn)) for drawn in itertools.product(values, repeat=4)]
    low, high = np.quantile(every, [0.025, 0.975])
    found = statistics.bootstrap(values, statistics.iqm, generator("exact"))
    assert found.value == pytest.approx(0.55)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)


def test_bootstrap_repeats_itself_with_the_generator_and_has_no_ends_for_one_value():
    values = generator("repeat").normal(size=6)
    first = statistics.bootstrap(values, statistics.iqm, generator("a"))
    assert first == statistics.bootstrap(values, statistics.iqm, generator("a"))
    assert first.low < first.value < first.high
    single = statistics.bootstrap([0.3], statistics.iqm, generator("a"))
    assert single.value == 0.3
    assert np.isnan(single.low)
    assert np.isnan(single.high)


def test_percentile_interval_of_the_mean_covers_less_than_it_says_at_five_runs():
    covered = 0
    for trial in range(300):
        values = generator("cover", trial).normal(size=5)
        found = statistics.bootstrap(values, statistics.mean, generator("cover", trial, "draw"), resamples=1_000)
        covered += found.low <= 0.0 <= found.high
    assert 0.78 < covered / 300 < 0.93  # 83 % is usual; a report say so


def test_stratified_bootstrap_redraws_inside_each_task_only():
    tasks = [[0.0] * 5, [1.0] * 5]  # no spread inside a task: redrawing across tasks would make some
    found = statistics.stratified(tasks, statistics.mean, generator("strata"))
    assert found == statistics.Interval(0.5, 0.5, 0.5)


def test_normalised_scores_are_zero_at_the_floor_and_one_at_the_ceiling_whichever_way_is_better():
    assert statistics.normalised([0.125, 0.5625, 1.0, 0.1], 0.125, 1.0) == pytest.approx([0.0, 0.5, 1.0, 0.0])
    assert statistics.normalised([1 / 6, 1 / 12, 0.0, 9.0, float("nan")], 1 / 6, 0.0) == pytest.approx([0.0, 0.5, 1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="another finite ceiling"):
        statistics.normalised([0.5], 1.0, 1.0)


@pytest.mark.parametrize("better", ["max", "min"])
def test_probability_of_improvement_is_the_share_of_won_pairs_with_ties_counted_half(better):
    x, y = [1.0, 2.0, 3.0], [2.0, 0.0]
    won = [(a > b) + 0.5 * (a == b) if better == "max" else (a < b) + 0.5 * (a == b) for a in x for b in y]
    assert statistics.probability_of_improvement([x], [y], better) == pytest.approx(np.mean(won))
    assert statistics.probability_of_improvement([x, x], [y, x], better) == pytest.approx((np.mean(won) + 0.5) / 2)


def test_probability_of_improvement_is_mann_whitneys_u():
    x, y = generator("u", 1).normal(size=6), generator("u", 2).normal(size=9)
    u = stats.mannwhitneyu(x, y).statistic
    assert statistics.probability_of_improvement([x], [y]) == pytest.approx(u / 54)


def test_interval_of_the_probability_of_improvement_collapses_at_full_separation():
    found = statistics.improvement([[2.0, 3.0, 4.0]], [[0.0, 1.0, 0.5]], generator("separate"))
    assert found == statistics.Interval(1.0, 1.0, 1.0)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_sign_flip_p_is_the_share_of_all_sign_patterns_at_least_as_extreme(alternative, margin):
    d = generator("flip", alternative).normal(0.4, 1.0, size=8)
    sums = [np.dot(signs, d - margin) for signs in itertools.product((1, -1), repeat=8)]
    seen = (d - margin).sum()
    extreme = {
        "greater": [s >= seen - 1e-12 for s in sums],
        "less": [s <= seen + 1e-12 for s in sums],
        "two-sided": [abs(s) >= abs(seen) - 1e-12 for s in sums],
    }
    assert statistics.sign_flip(d, alternative, margin) == pytest.approx(np.mean(extreme[alternative]))


def test_smallest_sign_flip_p_of_five_pairs_is_one_in_sixteen():
    assert statistics.sign_flip([1.0, 2.0, 3.0, 4.0, 5.0]) == 2 / 2**5
    assert statistics.sign_flip([0.0] * 5) == 1.0
    with pytest.raises(ValueError, match="at most 20 pairs, got 21"):
        statistics.sign_flip([1.0] * 21)


def test_signed_rank_is_scipys_exact_test_without_ties_and_too_few_below_six():
    d = generator("wilcoxon").normal(0.5, 1.0, size=9)
    assert statistics.signed_rank(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)
    assert statistics.signed_rank(d, "greater") == pytest.approx(stats.wilcoxon(d, method="exact", alternative="greater").pvalue)
    assert statistics.signed_rank(d[:5]) is None
    assert statistics.signed_rank([*d[:5], 0.0, 0.0]) is None
    many = generator("many").normal(0.2, 1.0, size=30)
    assert statistics.signed_rank(many) == pytest.approx(stats.wilcoxon(many, method="exact").pvalue, abs=0.01)


def test_holm_multiplies_stepwise_and_never_decreases():
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert statistics.holm([]).shape == (0,)


def test_expected_validation_has_the_published_check_values():
    expected = statistics.expected_validation(TRIALS)
    assert expected[[1, 2, 5]] == pytest.approx([0.744667, 0.778, 0.82], abs=5e-7)


@pytest.mark.parametrize("better", ["max", "min"])
def test_expected_validation_is_the_mean_best_over_all_subsets(better):
    best = max if better == "max" else min
    brute = [np.mean([best(subset) for subset in itertools.combinations(TRIALS, n)]) for n in range(1, 7)]
    assert statistics.expected_validation(TRIALS, better) == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_statistics_refuse_nothing_and_what_is_not_finite(values):
    with pytest.raises(ValueError, match="expected"):
        statistics.iqm(values)
