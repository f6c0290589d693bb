"""Series: where windows lie, what is scaled, what baselines forecast, and two generators against other ways to make them."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.signal import lfilter

from suite import canonical
from suite.seeding import generator
from tasks.autoregression import Autoregression
from tasks.forecasting import Forecasting
from tasks.mackey_glass import MackeyGlass, trajectory
from tasks.seasonal import Seasonal
from tasks.windows import sliding


def made(tmp_path, values, **options):
    """Return the task of a CSV file with the one column s."""
    path = tmp_path / "series.csv"
    path.write_text("s\n" + "\n".join(repr(float(value)) for value in values))
    return Forecasting(path=path, **options)


@pytest.mark.parametrize("window", [4, 6, 10, 64])
@pytest.mark.parametrize("final", [0, 1, 4, 57, 100])
def test_sliding_windows_weigh_every_target_once_behind_half_a_window(window, final):
    starts, weight = sliding(final, window)
    places = (starts[:, None] + np.arange(window))[weight > 0]
    assert sorted(places) == list(range(window // 2, final + window))
    assert (np.broadcast_to(np.arange(window), weight.shape)[weight > 0] >= window // 2).all()


@pytest.mark.parametrize("horizon", [1, 3])
def test_targets_lie_ahead_in_the_same_split_and_the_splits_follow_one_another(tmp_path, horizon):
    task = made(tmp_path, np.arange(200), window=8, horizon=horizon)
    mean, deviation = np.arange(140).mean(), np.arange(140).std()
    seen = {}
    for split in ("train", "validation", "test"):
        batches = [next(task.batches(split, seed=0, batch_size=400))] if split == "train" else task.batches(split, seed=0, batch_size=3)
        steps, targets = [], []
        for batch in batches:
            x, y = batch.x[:, :, 0] * deviation + mean, batch.y * deviation + mean
            np.testing.assert_allclose(y, x + horizon, atol=1e-3)
            np.testing.assert_allclose(x, batch.extra["step"], atol=1e-3)
            steps += x.round().astype(int).ravel().tolist()
            targets += y[batch.weight > 0].round().astype(int).tolist()
        seen[split] = sorted({*steps, *targets})
        if split != "train":
            assert len(set(targets)) == len(targets)
            assert sorted(targets) == list(range(seen[split][0] + 4 + horizon, seen[split][-1] + 1))
    assert [(part[0], part[-1]) for part in seen.values()] == [(0, 139), (140, 169), (170, 199)]


def test_scale_is_that_of_training_alone(tmp_path):
    values = np.r_[np.tile([1.0, 3.0], 70), np.tile([1_000.0, 2_000.0], 30)]
    task = made(tmp_path, values, window=4)
    batch = next(task.batches("train", seed=0, batch_size=50))
    assert set(np.unique(batch.x)) == {-1, 1}
    (batch, *_) = task.batches("validation", seed=0, batch_size=50)
    assert set(np.unique(batch.x[0])) == {998, 1998}
    assert "mean 2 and deviation 1" in task.describe().notes


def test_scores_are_in_the_units_that_they_say(tmp_path):
    values = np.random.default_rng(0).normal(5, 3, 400).cumsum()
    task = made(tmp_path, values, window=10)
    for split, (first, last) in {"validation": (280, 340), "test": (340, 400)}.items():
        targets = values[first + 6 : last]  # behind five values and one step ahead
        found = task.metrics(split)
        last_value = ((targets - values[first + 5 : last - 1]) ** 2).mean()
        mean = ((targets - values[:280].mean()) ** 2).mean()
        for floor, error in (("persistence", last_value), ("mean", mean)):
            assert found["mse"].floors[floor] == pytest.approx(error, rel=1e-4)
            assert found["loss"].floors[floor] == pytest.approx(error / values[:280].var(), rel=1e-4)
            assert found["nmse"].floors[floor] == pytest.approx(error / targets.var(), rel=1e-4)


@pytest.mark.parametrize("horizon", [1, 5, 12, 13])
def test_the_seasonal_baseline_takes_the_last_value_of_the_same_season(tmp_path, horizon):
    pattern = np.random.default_rng(0).normal(size=12)
    values = np.tile(pattern, 50) + np.repeat(np.arange(50), 12)  # each season is one above the season before
    task = made(tmp_path, values, window=24, horizon=horizon, period=12)
    meter = task.meter("test")
    for batch in task.batches("test", seed=0, batch_size=4):
        meter.update(batch, task.baselines()["seasonal naive"].predict(batch))
    assert meter.result()["mse"] == pytest.approx(math.ceil(horizon / 12) ** 2, rel=1e-4)


def test_least_squares_is_exact_where_the_series_is_linear_in_its_past():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    weights, bias = rng.normal(size=(3, 2)), 0.7
    y = np.full(60, np.nan)
    for step in range(2, 60):
        y[step] = bias + sum(weights[back] @ x[step - back] for back in range(3))
    found = Autoregression.fitted(x, np.where(np.isnan(y), 9, y), 3)
    np.testing.assert_allclose(found.weights, weights, atol=1e-12)
    assert found.bias == pytest.approx(bias)
    forecast = found.forecast(x.reshape(2, 30, 2))
    assert np.isnan(forecast[:, :2]).all()
    np.testing.assert_allclose(forecast[0, 2:], y[2:30], atol=1e-12)
    np.testing.assert_allclose(forecast[1, 2:], y[32:], atol=1e-12)
    with pytest.raises(ValueError, match="expected more than 40 targets"):
        Autoregression.fitted(x[:50], y[:50], 20)


def test_two_steps_ahead_least_squares_know_what_one_step_twice_knows():
    """Of an autoregression of first order, a: two steps ahead the best weight is a squared."""
    u = lfilter([1], [1, -0.9], np.random.default_rng(0).normal(size=200_000))
    found = Autoregression.fitted(u[:-2, None], u[2:], 1)
    assert found.weights.item() == pytest.approx(0.81, abs=0.01)


def feedback(x):
    return 0.2 * x / (1 + x**10)


def test_mackey_glass_solves_its_equation():
    """Up to tau the delayed value is 1.2 and the solution an exponential; up to 2 tau, an integrator takes that one as the past."""
    found = trajectory(17, 35)
    level = feedback(1.2) / 0.1

    def first(t):
        return level + (1.2 - level) * np.exp(-0.1 * t)

    np.testing.assert_allclose(found[:18], first(np.arange(18)), atol=1e-8)
    solved = solve_ivp(
        lambda t, x: feedback(first(t - 17)) - 0.1 * x, (17, 34), [first(17)], t_eval=np.arange(18, 35), rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(found[18:], solved.y[0], atol=2e-5)


def test_mackey_glass_is_chaotic_at_17_and_comes_to_rest_or_repeats_below():
    assert trajectory(4, 1_500)[-100:].std() < 1e-3
    late = trajectory(17, 3_000)[1_000:]
    assert 0.2 < late.min() < 0.5
    assert 1.2 < late.max() < 1.4
    distance = [np.abs(late[50:100] - late[start : start + 50]).max() for start in range(100, 1_900)]
    assert min(distance) > 1e-4, "no stretch comes back exactly"


def test_mackey_glass_goes_on_from_where_a_shorter_one_ends():
    np.testing.assert_array_equal(trajectory(17, 300), trajectory(17, 400)[:300])


def test_the_seasonal_series_is_its_equation():
    task = Seasonal(length=500, coefficients=(0.5, -0.3), period=7, amplitude=2)
    noise = generator("seasonal", 1, "series").normal(size=1_500)
    u = lfilter([1], [1, -0.5, 0.3], noise)[1_000:]
    season = 2 * np.sin(2 * np.pi * np.arange(500) / 7)
    np.testing.assert_allclose(task.series().values[:, 0], season + u, atol=1e-12)


@pytest.mark.parametrize("horizon", [1, 2, 3, 12])
def test_the_ceiling_is_the_variance_of_the_noise_yet_to_come(horizon):
    """By the impulse response of the filter, and by what the ideal forecast errs on a long series."""
    task = Seasonal(horizon=horizon, length=200_000, window=64)
    response = lfilter([1], [1, -0.6, -0.2], np.eye(1, horizon)[0])
    assert task.noise == pytest.approx((response**2).sum())
    assert task.metrics("test")["mse"].ceiling == pytest.approx(task.noise)
    meter = task.meter("test")
    for batch in task.batches("test", seed=0, batch_size=256):
        meter.update(batch, task.ideal(batch))
    # 30,000 targets, of which about one in `horizon` counts for itself
    assert meter.result()["mse"] == pytest.approx(task.noise, rel=4 * math.sqrt(2 * horizon / 30_000))


def test_no_forecast_by_a_longer_past_beats_the_ideal_one():
    task = Seasonal(length=100_000)
    scores = {}
    guesses = {name: baseline.predict for name, baseline in task.baselines().items()} | {"ideal": task.ideal}
    for name, guess in guesses.items():
        meter = task.meter("test")
        for batch in task.batches("test", seed=0, batch_size=256):
            meter.update(batch, guess(batch))
        scores[name] = meter.result()["nmse"]
    assert min(scores, key=scores.get) == "ideal"
    assert scores["least squares"] < 1.1 * scores["ideal"]  # 32 steps of the past leave a little doubt about the season
    assert scores["least squares"] < scores["persistence"] < scores["seasonal naive"] < scores["mean"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"window": 7}, "window"),
        ({"window": 2}, "window"),
        ({"horizon": 0}, "horizon"),
        ({"period": 40}, "period"),
        ({"period": 1}, "period"),
        ({"amplitude": -1.0}, "amplitude"),
        ({"amplitude": float("nan")}, "amplitude"),
        ({"coefficients": (0.9, 0.2)}, "stationary"),
        ({"coefficients": (0.0, -1.0)}, "stationary"),
        ({"coefficients": (0.5,)}, "two"),
        ({"length": 0}, "length"),
    ],
)
def test_impossible_configurations_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Seasonal(**wrong)
    if set(wrong) <= {"window", "horizon", "length"}:
        with pytest.raises(ValueError, match=said):
            MackeyGlass(**wrong)


CSV = "time,load,heat\n" + "".join(f"2024-01-{day:02},{day % 7 + day / 10},{-day}\n" for day in range(1, 101))


def written(tmp_path, text):
    path = tmp_path / "mine.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_csv_file_is_read_by_the_names_of_its_columns(tmp_path):
    task = Forecasting(path=written(tmp_path, CSV + "\n\n"), columns=("heat", "load"), target="load", window=8)
    values, target = task.series()
    assert (values.shape, target) == ((100, 2), 1)
    np.testing.assert_allclose(values[:3], [[-1, 1.1], [-2, 2.2], [-3, 3.3]])
    assert task.spec.inputs == 2
    (batch, *_) = task.batches("test", seed=0, batch_size=4)
    np.testing.assert_allclose(batch.y[:, :-1], batch.x[:, 1:, 1])
    other = Forecasting(path=written(tmp_path, CSV.replace(",", ";")), columns=("heat", "load"), target="load", window=8, separator=";")
    assert other.digest() == task.digest() != dataclasses.replace(other, target="heat").digest()


def test_a_mark_in_front_of_the_file_and_other_line_ends_do_not_matter(tmp_path):
    plain = Forecasting(path=written(tmp_path, CSV), columns=("load",), window=8)
    digest = plain.digest()
    other = tmp_path / "other.csv"
    other.write_bytes(b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").replace("load", '"load"').encode())
    assert Forecasting(path=other, columns=("load",), window=8).digest() == digest


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (CSV, {"target": "load"}, r"line 2, column 'time': expected a number, got '2024-01-01' \(name the columns"),
        (CSV, {"columns": ("load", "heat")}, "target must say which column to forecast, one of load, heat"),
        (CSV, {"columns": ("load",), "window": 64}, r"every split must hold 65 steps .* about 434 in all, got 100"),
        (CSV, {"columns": ("rain",)}, "no column 'rain' between ','; its first line names time, load, heat"),
        (CSV, {"columns": ("load",), "separator": ";"}, "no column 'load' between ';'"),
        ("s\n1\n2\n\n4\n", {}, "line 4: expected 1 values as in the first line, got 0"),
        ("s,t\n1,2\n3\n", {"target": "s"}, "line 3: expected 2 values as in the first line, got 1"),
        ("s,t\n1,2\n,4\n", {"target": "s"}, r"line 3, column 's': a value is missing \(''\)"),
        ("s,t\n1,2\n3,NaN\n", {"target": "s"}, r"line 3, column 't': a value is missing \('NaN'\)"),
        ("s\n1\ninf\n", {}, "line 3, column 's': expected a number, got 'inf'"),
        ("s\n1\n1_000\n", {}, "line 3, column 's': expected a number, got '1_000'"),
        ('s;t\n"1,5";2\n', {"separator": ";", "target": "s"}, "line 2, column 's': expected a number, got '1,5'"),
        ('s\n"two\nlines"\n', {}, "line 3, column 's': expected a number"),
        ('s\n"1\n', {}, r"line \d: unexpected end of data"),
        ("1\n2\n3\n", {}, "line 1: expected the names of the columns, got numbers: 1"),
        ("s,s\n1,2\n", {}, "line 1: expected distinct names"),
        ("s,\n1,2\n", {}, "line 1: expected a name for every column, got none for column 2"),
        (b"s\n1\n\xe9\n", {}, "line 3: expected UTF-8, got byte 0xe9"),
        ("", {}, "got an empty file"),
        ("s\n" + "1\n" * 100, {}, "column 1 of those read does not change in training"),
        ("s\n" + "".join(f"{n % 3}\n" for n in range(140)) + "5\n" * 60, {}, "does not change in validation"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line_that_names_it(tmp_path, text, options, said):
    task = Forecasting(path=written(tmp_path, text), **{"window": 8, **options})
    with pytest.raises(ValueError, match=rf"mine\.csv.*({said})") as caught:
        task.metrics("validation")
    assert "\n" not in str(caught.value)


def test_a_path_that_leads_nowhere_and_options_that_contradict_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        _ = Forecasting(path=tmp_path / "none.csv").spec
    for wrong in ({"separator": "::"}, {"columns": ("a", "a")}, {"columns": ("a",), "target": "b"}):
        with pytest.raises(ValueError, match=next(iter(wrong)) if len(wrong) == 1 else "target"):
            Forecasting(path=tmp_path, **wrong)


def test_the_path_is_no_part_of_the_identity_and_the_content_is(tmp_path):
    one = made(tmp_path, np.sin(np.arange(100.0)), window=8)
    assert "path" not in canonical.fields(one)
    (tmp_path / "other").mkdir()
    other = made(tmp_path / "other", np.sin(np.arange(100.0)), window=8)
    assert one.digest() == other.digest()
    assert made(tmp_path / "other", np.cos(np.arange(100.0)), window=10).digest() != one.digest()
