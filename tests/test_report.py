"""The report: every number comes from the records, the page fetches nothing, and what is missing is said."""

import csv
import dataclasses
import io
import json
import math
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from scipy import stats

from suite import seeding
from suite.report import drawings, figures, numbers, page, tables
from suite.report.colours import PALETTE, looks
from suite.report.comparison import Comparison, overall
from suite.report.entry import Entry, by_setting, entries
from suite.report.findings import findings, over_all
from suite.report.limitations import limitations
from tests import report_store as store

ROOT = Path(__file__).parent.parent
EVALUATION_COSTS = {
    "tokens_per_second": "speed/tokens_per_second",
    "step_milliseconds": "speed/step_milliseconds",
    "step_milliseconds_iqr": "speed/step_milliseconds_iqr",
    "compile_seconds": "speed/trace_compile_seconds",
    "peak_bytes": "speed/peak_bytes",
}


class Tables(HTMLParser):
    """Every table of a page as (caption, rows of texts); and every tag with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found, self.tags, self.cell, self.words = [], [], None, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "table":
            self.found.append(("", []))
        elif tag == "tr":
            self.found[-1][1].append([])
        elif tag in ("th", "td", "caption"):
            self.cell = ""

    def handle_data(self, data):
        self.words.append(data)
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag == "caption":
            self.found[-1] = (self.cell, self.found[-1][1])
        if tag in ("th", "td"):
            self.found[-1][1][-1].append(self.cell.strip())
        if tag in ("th", "td", "caption"):
            self.cell = None


@pytest.fixture(scope="module")
def groups():
    return store.groups()


@pytest.fixture(scope="module")
def text(groups):
    return page.html("sample", groups)


def comparison(groups, label="adding"):
    return Comparison(by_setting(entries(groups))[label])


def sentences(groups, label="adding"):
    return " ".join(f"{finding.lead} {finding.text}" for finding in findings(comparison(groups, label)))


def evaluation(group):
    return [record for record in group.records if record.phase == "evaluation"]


def with_scores(group, values, *, outcomes=None):
    """The group with these test scores on its main metric, seed by seed."""
    main, left = group.document["main"], iter(values)
    ended = iter(outcomes or ["done"] * len(values))
    records = []
    for record in group.records:
        if record.phase == "evaluation":
            scores = {**record.scores, "test": {main: next(left)}}
            record = dataclasses.replace(record, scores=scores, outcome=next(ended))
        records.append(record)
    return dataclasses.replace(group, records=tuple(records))


def as_number(cell):
    """The number that a cell begins with."""
    found = re.match(r"[−\d.,]+", cell)
    value = float(found[0].replace("−", "-").replace(",", ""))
    power = re.search(r"× 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", cell)
    return value * 10.0 ** int(power[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) if power else value


def test_every_score_of_a_row_is_recomputed_from_its_records(groups):
    rows = tables.rows(groups)
    assert len(rows) == len(groups) == 19
    found = {(row["setting"], row["architecture"]): row for row in rows}
    for group in groups:
        row = found[group.label, group.architecture.removeprefix("baseline:")]
        main = group.document["main"]
        records = evaluation(group) if group.role != "fitted" else list(group.records)
        values = [record.scores["test"][main] for record in records]
        assert row["scores"] == values
        assert row["n"] == len(values)
        assert row["mean"] == pytest.approx(np.mean(values), rel=1e-12)
        assert row["median"] == pytest.approx(np.median(values), rel=1e-12)
        assert row["iqm"] == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-12)
        assert row["failed"] == sum(record.outcome != "done" for record in records)
        floors = group.document["metrics"]["test"][main]["floors"]
        assert row["floor"] == (max if row["better"] == "max" else min)(floors.values())
        if group.role == "fitted":
            assert row["low"] is None
            continue
        assert row["seeds"] == list(store.SEEDS)
        assert row["low"] <= row["iqm"] <= row["high"]
        assert row["validation"] == pytest.approx(stats.trim_mean([r.scores["validation"][main] for r in records], 0.25))
        for column, cost in EVALUATION_COSTS.items():
            assert row[column] == np.median([record.cost[cost] for record in records])
        for column in ("width", "counted", "deviation", "parameters", "core", "head", "embedding", "flops_per_token", "state_bytes"):
            assert row[column] == group.document["size"][column]
        if "grad/horizon" in records[0].curves:
            assert row["horizon_init"] == np.median([record.curves["grad/horizon"][0][1] for record in records])
            assert row["horizon"] == np.median([record.curves["grad/horizon"][-1][1] for record in records])
            assert row["half_horizon"] == np.median([record.curves["grad/half_horizon"][-1][1] for record in records])


def test_intervals_are_percentile_bootstraps_of_ten_thousand_resamples_from_a_seed_of_names(groups):
    row = next(row for row in tables.rows(groups) if (row["setting"], row["architecture"]) == ("copying", "gru"))
    values, rng = np.array(row["scores"]), seeding.generator("report", "sample", "copying", "gru", "iqm")
    drawn = np.sort(values[rng.integers(0, 5, (10_000, 5))], axis=1)[:, 1:4].mean(axis=1)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), rel=1e-12)


def test_numbers_of_the_pages_score_tables_are_those_of_the_records(groups, text):
    shown = [found for caption, found in Tables(text).found if caption.startswith("Test ")]
    assert len(shown) == 3
    for table, label in zip(shown, store.TASKS, strict=True):
        cells = {row[0]: row[1:] for row in table}
        for group in groups:
            if group.label != label or group.role == "fitted":
                continue
            values = [record.scores["test"][group.document["main"]] for record in evaluation(group)]
            row = cells[min((name for name in cells if name.startswith(group.architecture)), key=len)]
            assert as_number(row[0]) == pytest.approx(stats.trim_mean(values, 0.25), rel=0.05)
            assert as_number(row[2]) == pytest.approx(np.mean(values), rel=0.006)
            assert row[3] == str(len(values))
            assert row[4] == str(sum(record.outcome != "done" for record in evaluation(group)))


def test_page_has_the_same_bytes_in_two_processes_and_under_the_users_own_style(groups, text, monkeypatch):
    code = (
        "import sys; from tests import report_store as s; from suite.report import page; sys.stdout.write(page.html('sample', s.groups()))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "agg"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment, cwd=ROOT, check=True)
    assert done.stdout == text.encode()
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 40.0)
    monkeypatch.setitem(matplotlib.rcParams, "svg.hashsalt", "another")
    assert page.html("sample", groups) == text


def test_page_fetches_nothing(text):
    assert "://" not in text
    assert "<script" not in text
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    for tag, attributes in Tables(text).tags:
        assert tag not in ("link", "img", "iframe", "object", "script", "image", "base")
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#"), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes)


def test_ids_are_unique_and_every_reference_inside_the_page_is_met(text):
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    wanted = set(re.findall(r'href="#([^"]+)"', text)) | set(re.findall(r"url\(#([^)]+)\)", text))
    assert wanted
    assert wanted <= set(ids)


def test_every_figure_has_words_and_no_drawing_colour_is_left(text):
    pictures = [attributes for tag, attributes in Tables(text).tags if tag == "svg"]
    assert len(pictures) == 3 * 8
    assert all(attributes["role"] == "img" and len(attributes["aria-label"]) > 30 for attributes in pictures)
    assert not re.findall(r"#0[1-4a]0[1-4b][0-9a-f]{2}\b", text)


def test_names_from_the_store_are_escaped():
    bad = '<script>alert("x")</script>&$a_b$'
    group = store.group("adding", "gru", question=f"Who is {bad}?")
    other = store.group("adding", "lstm", question=f"Who is {bad}?")
    renamed = [dataclasses.replace(one, label=bad, architecture=f"{one.architecture}{bad}") for one in (group, other)]
    fitted = dataclasses.replace(store.fitted("adding", bad, 0.2), label=bad)
    for one in renamed:
        one.document["architecture"]["source"] = bad
        one.document["task"]["fields"] = {bad: bad}
        one.document["chosen"]["values"][bad] = bad
    dirty = [store.changed(one, provenance=lambda record: {**record.provenance, bad: bad}) for one in renamed]
    text = page.html(bad, [*dirty, fitted])
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not any(tag == "script" for tag, _ in Tables(text).tags)
    assert any(bad in words for words in Tables(text).words)


def test_diverged_runs_count_as_the_floor_and_as_failures():
    nan = float("nan")
    outcomes = ["done", "done", "done", "diverged", "done"]
    group = with_scores(store.group("copying", "gru"), [0.9, 0.8, 0.7, nan, 0.6], outcomes=outcomes)
    (row,) = tables.rows([group])
    assert row["scores"] == [0.9, 0.8, 0.7, 0.387, 0.6]
    assert row["failed"] == 1
    assert row["mean"] == pytest.approx((0.9 + 0.8 + 0.7 + 0.387 + 0.6) / 5)
    assert any(text.startswith("Failed runs count as the floor") and "diverged" in text for text in limitations(entries([group])))


def test_rows_tell_apart_only_where_interval_and_exact_test_agree():
    best = with_scores(store.group("copying", "gru"), [0.9, 0.91, 0.92, 0.93, 0.94])
    far = with_scores(store.group("copying", "elman"), [0.5, 0.52, 0.51, 0.53, 0.5])
    near = with_scores(store.group("copying", "lstm"), [0.89, 0.95, 0.90, 0.94, 0.92])
    found = comparison([best, far, near], "copying")
    assert found.best.name == "gru"
    pairs = {pair.other.name: pair for pair in found.pairs}
    d = np.array([0.4, 0.39, 0.41, 0.40, 0.44])
    assert pairs["elman"].difference.value == pytest.approx(stats.trim_mean(d, 0.25))
    assert pairs["elman"].flip == 1 / 16
    assert pairs["elman"].adjusted == 2 / 16
    assert pairs["elman"].ranks is None
    assert pairs["elman"].improvement.value == 1.0
    assert pairs["elman"].separated
    assert not pairs["lstm"].separated
    words = sentences([best, far, near], "copying")
    assert words.startswith("Not separable: gru and lstm. gru has the best IQM")
    assert "It is told apart from elman." in words
    assert "is best" not in words
    assert sentences([best, far], "copying").startswith("gru is best: 0.920 [0.9")


def test_one_bad_run_of_the_best_keeps_it_from_being_told_apart():
    best = with_scores(store.group("copying", "gru"), [0.9, 0.91, 0.92, 0.93, 0.387])
    other = with_scores(store.group("copying", "lstm"), [0.5, 0.52, 0.51, 0.53, 0.5])
    (pair,) = comparison([best, other], "copying").pairs
    assert pair.difference.low < pair.difference.value
    assert pair.flip > 1 / 16
    assert not pair.separated


def test_lower_is_better_is_said_and_turned_in_differences(groups):
    found = comparison(groups, "adding")
    assert found.best.name == "gru"
    assert found.pair("elman").difference.value > 0
    assert "(lower is better)" in sentences(groups, "adding")


def test_an_order_free_baseline_that_solves_the_task_is_named(groups):
    words = sentences(groups, "adding")
    assert "The task needs no order: pooled_mlp, which does not know the order of its input, solves it in 5 of 5 runs" in words
    assert "needs no order" not in sentences(groups, "copying")


def test_models_that_are_no_better_than_trivial_are_flagged(groups):
    flags = {(row["setting"], row["architecture"]): row["flags"] for row in tables.rows(groups)}
    assert "not better than 3-gram" in flags["characters", "lstm"]
    assert flags["copying", "gru"] == []
    assert "below pooled_mlp" in flags["adding", "elman"]
    assert "size off target" in flags["adding", "pooled_mlp"]
    assert "learning rate at the edge of its range" in flags["adding", "lstm"]


def test_informed_rows_and_baselines_stand_apart_and_are_never_the_best(groups, text):
    assert [entry.block for entry in entries(groups)[:6]] == ["model", "model", "model", "informed", "baseline", "fitted"]
    assert comparison(groups, "copying").estimates["gru_chrono"].value > comparison(groups, "copying").estimates["gru"].value
    assert comparison(groups, "copying").best.name == "gru"
    for title in ("Models", "Informed models: told the task", "Trained baselines", "Fitted baselines: no gradients", "Ends of the scale"):
        assert title in text


def test_expected_validation_is_that_of_the_trials_with_failures_and_worse_at_the_floor(groups):
    group = next(group for group in groups if (group.label, group.architecture) == ("adding", "gru"))
    values = [min(record.scores["validation"]["loss"], 1 / 6) for record in group.records if record.phase == "tuning"]
    (row,) = (row for row in tables.rows(groups) if (row["setting"], row["architecture"]) == ("adding", "gru"))
    assert row["expected_validation"][0] == pytest.approx(np.mean(values))
    assert row["expected_validation"][-1] == pytest.approx(min(values))
    assert row["trials_failed"] == 1


def test_steps_to_solve_are_the_median_with_unsolved_runs_as_never():
    group = store.group("adding", "gru")
    steps = iter([400.0, math.nan, 200.0, 800.0, math.nan])
    costs = {record.key: {**record.cost, "steps_to_solve": next(steps)} for record in evaluation(group)}
    (row,) = tables.rows([store.changed(group, cost=lambda record: costs.get(record.key, record.cost))])
    assert (row["solved"], row["steps_to_solve"]) == (3, 800.0)
    steps = iter([400.0, math.nan, 200.0, math.nan, math.nan])
    costs = {record.key: {**record.cost, "steps_to_solve": next(steps)} for record in evaluation(group)}
    unsolved = store.changed(group, cost=lambda record: costs.get(record.key, record.cost))
    (row,) = tables.rows([unsolved])
    assert (row["solved"], row["steps_to_solve"]) == (2, None)
    assert "&gt; 1,000" in page.html("sample", [unsolved])


def test_an_unfinished_store_gives_a_partial_report_that_names_what_is_missing():
    groups = store.unfinished()
    text = page.html("sample", groups)
    assert "This report is partial" in text
    for words in ("evaluation, 2 of 5 runs", "tuning, 3 of 8 trials", "tuning, 0 of 8 trials", "not chosen yet", "not run yet"):
        assert words in text
    assert "So far, lstm leads:" in text
    assert ">best<" not in text
    status = {row["architecture"]: row for row in tables.progress(groups)}
    assert (status["gru"]["tuned"], status["gru"]["trials"], status["gru"]["evaluated"], status["gru"]["seeds"]) == (3, 8, 0, 5)
    assert status["elman"]["status"] == "finished"
    assert any(text.startswith("The store is unfinished") for text in limitations(entries(groups)))


def test_a_store_without_any_finished_run_gives_a_page():
    groups = [store.group("adding", name, tuned=0) for name in ("elman", "gru")]
    assert "Nothing to compare yet" in page.html("sample", groups)
    assert [row["iqm"] for row in tables.rows(groups)] == [None, None]
    with pytest.raises(ValueError, match="holds nothing of 'sample'"):
        page.html("sample", [])


def test_a_store_without_sizes_curves_and_costs_gives_a_page():
    groups = [store.changed(group, curves=lambda _: {}, cost=lambda _: {}, provenance=lambda _: {}) for group in store.groups(("adding",))]
    for group in groups:
        for part in ("size", "space", "own_space", "card"):
            group.document.pop(part, None)
    text = page.html("sample", groups)
    assert "<svg" in text
    assert "Learning curves" not in text
    assert "Gradient by lag" not in text


def test_a_curve_that_is_a_table_is_drawn_as_a_map_with_its_names_and_not_as_a_curve():
    weights = tuple(enumerate((0.1, 0.9, 0.75, 0.25, 0.5, 0.5)))
    drawn = lambda record: {**record.curves, "final/test/attention 1": weights}
    groups = [store.changed(group, curves=drawn) for group in store.groups(("copying",))]
    for group in groups:
        group.document["card"] = {**(group.document.get("card") or {}), "maps": {"attention 1": [["ein", "Hund", "stop"], ["_a", "_dog"]]}}
    text = page.html("sample", groups)
    assert "Attention 1 of lstm" in text
    assert "lstm, attention 1: ein: _dog; Hund: _a; stop: _a" in text
    assert "Attention 1 in parts" not in text
    for name in ("ein", "Hund", "stop", "_a", "_dog"):
        assert f">{name}<" in text
    for group in groups:
        del group.document["card"]
    text = page.html("sample", groups)
    assert "Attention 1 in parts" in text
    assert "Attention 1 of lstm" not in text


def test_nan_in_curves_and_costs_is_left_out():
    nan = float("nan")

    def holes(record):
        return {name: tuple((x, nan if n % 2 else y) for n, (x, y) in enumerate(curve)) for name, curve in record.curves.items()}

    groups = [
        store.changed(group, curves=holes, cost=lambda record: dict.fromkeys(record.cost, nan)) for group in store.groups(("copying",))
    ]
    text = page.html("sample", groups)
    assert not re.search(r"\bnan\b", text.lower())
    assert json.loads(tables.json_text(groups))[0]["tokens_per_second"] is None


def test_one_seed_has_no_interval_and_separates_nothing():
    groups = [store.group("copying", name, seeds=(101,)) for name in ("elman", "gru")]
    assert [(row["n"], row["low"], row["high"]) for row in tables.rows(groups)] == [(1, None, None)] * 2
    assert "on one seed: nothing can be separated" in sentences(groups, "copying")
    text = page.html("sample", groups)
    assert ">best<" not in text
    assert "1 evaluation seed: a smoke test, not a comparison." in text


def test_three_seeds_are_a_smoke_test_that_separates_nothing():
    groups = [store.group("copying", name, seeds=(101, 102, 103)) for name in ("elman", "gru")]
    assert "nothing can be separated" in sentences(groups, "copying")
    assert any("smoke test" in text for text in limitations(entries(groups)))


def test_limitations_follow_from_what_was_run(groups):
    words = " ".join(limitations(entries(groups)))
    for part in (
        "5 evaluation seeds",
        "p below 0.062",
        "equal parameters",
        "8 tuning trials",
        "Over 2 % off the target size: pooled_mlp",
        "outer 10 %",
    ):
        assert part in words
    assert "Loaded host" not in words
    assert "TPE" not in words
    ten = store.group("adding", "gru", seeds=tuple(range(101, 111)), trials=20)
    assert "evaluation seeds:" not in " ".join(limitations(entries([ten])))
    busy = store.changed(ten, provenance=lambda record: {**record.provenance, "load": "9.10, more than the cores"})
    assert any(text.startswith("Loaded host: in 30 of 30 runs") for text in limitations(entries([busy])))
    ten.document["experiment"]["sampler"] = "tpe"
    assert any("best effort" in text for text in limitations(entries([ten])))
    reused = dataclasses.replace(ten, records=tuple(dataclasses.replace(record, reused_from="elsewhere") for record in ten.records))
    assert any(
        "10 of them evaluation runs whose test scores had been seen before (prior looks)" in t for t in limitations(entries([reused]))
    )


def test_all_tasks_together_are_normalised_scores_of_every_run(groups):
    settings = [Comparison(rows) for rows in by_setting(entries(groups)).values()]
    found = {row.name: row for row in overall(settings)}
    ends = {"adding": (1 / 6, 0.0), "copying": (0.387, 1.0), "characters": (4.36, 0.0)}
    for name, row in found.items():
        scaled = [
            np.clip((value - ends[group.label][0]) / (ends[group.label][1] - ends[group.label][0]), 0, 1)
            for group in groups
            if group.architecture == name
            for value in [record.scores["test"][group.document["main"]] for record in evaluation(group)]
        ]
        assert row.runs == 15
        assert row.mean == pytest.approx(np.mean(scaled))
        assert row.iqm.value == pytest.approx(stats.trim_mean(scaled, 0.25))
        assert row.iqm.low <= row.iqm.value <= row.iqm.high
    assert over_all(list(found.values())).lead.startswith("gru")
    assert overall(settings[:1]) == []


def test_both_gradient_panels_have_one_scale(groups, monkeypatch):
    seen = {}
    real = figures.lines

    def spy(bands, *rest, **named):
        seen[named["name"]] = named.get("ends")
        return real(bands, *rest, **named)

    monkeypatch.setattr(figures, "lines", spy)
    c = comparison(groups)
    drawings.drawings(c, looks(entry.name for entry in c.rows), "x")
    assert seen["x-lag-init"] == seen["x-lag-trained"]
    low, high = seen["x-lag-init"]
    values = [
        y
        for g in groups
        if g.label == "adding"
        for r in evaluation(g)
        for name in ("grad/by_lag", "grad/by_lag_init")
        for _, y in r.curves.get(name, ())
    ]
    assert low < max(np.quantile(values, 0.05), 1e-9)
    assert high > 1


def test_csv_and_json_hold_the_same_rows(groups):
    rows = tables.rows(groups)
    assert json.loads(tables.json_text(groups)) == rows
    read = list(csv.DictReader(io.StringIO(tables.csv_text(groups))))
    assert [line["architecture"] for line in read] == [row["architecture"] for row in rows]
    for line, row in zip(read, rows, strict=True):
        assert (float(line["iqm"]) if line["iqm"] else None) == row["iqm"]
        assert json.loads(line["scores"]) == row["scores"]


def test_summary_and_progress_are_tables_of_text_and_numbers(groups):
    columns, lines = tables.summary(groups)
    assert all(len(line) == len(columns) and all(isinstance(cell, str) for cell in line) for line in lines)
    assert len(lines) == len(tables.progress(groups)) == 19


def test_order_of_the_page_is_that_of_the_definition_whatever_the_order_of_rows(groups, text):
    by_label = [[group for group in groups if group.label == label] for label in store.TASKS]
    assert page.html("sample", [group for part in by_label for group in reversed(part)]) == text


def test_looks_follow_from_names_and_are_distinct():
    names = [f"cell{n}" for n in range(20)]
    found = looks(names)
    assert found == looks(reversed(names))
    assert len({(look.slot, look.dash) for look in found.values()}) == 20
    assert looks(["gru"])["gru"] == looks(["elman", "gru", "lstm"])["gru"]


@pytest.mark.parametrize(("place", "background"), [(0, "#ffffff"), (1, "#181d23")])
def test_every_colour_can_be_read_on_its_background(place, background):
    def luminance(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colours in PALETTE:
        bright, dark = sorted((luminance(colours[place]), luminance(background)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, colours


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0"),
        (0.16667, "0.167"),
        (1234.5, "1,234"),
        (2.1e-5, "2.10 × 10⁻⁵"),
        (-0.5, "−0.500"),
        (12.34, "12.3"),
    ],
)
def test_numbers_have_three_digits(value, shown):
    assert numbers.number(value) == shown


@pytest.mark.parametrize(
    ("three", "shown"),
    [
        ((0.16172, 0.15834, 0.16518), ("0.1617", "[0.1583, 0.1652]")),
        ((2.5821, 2.558, 2.6041), ("2.582", "[2.558, 2.604]")),
        ((0.5, math.nan, math.nan), ("0.500", "no interval")),
        ((0.00015, 4.2e-6, 3.2e-4), ("0.000150", "[0.000004, 0.000320]")),
        ((1.0, 1.0, 1.0), ("1.00", "[1.00, 1.00]")),
        ((3.1e-9, 2.2e-9, 4.4e-9), ("3.1 × 10⁻⁹", "[2.2, 4.4] × 10⁻⁹")),
    ],
)
def test_an_estimate_and_its_interval_have_one_precision(three, shown):
    assert numbers.estimate(*three) == shown


def test_a_half_horizon_beyond_the_longest_lag_is_shown_as_a_bound(groups, text):
    group = next(group for group in groups if (group.label, group.architecture) == ("adding", "gru_chrono"))
    assert Entry(group).lags == store.LAGS + 1
    assert "≥ 50 → ≥ 50" in text
