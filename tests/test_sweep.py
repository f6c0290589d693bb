"""A sweep runs every trial once, whatever interrupts it, chooses on validation, and evaluates on fresh seeds."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from suite import executor, plugins, sweep
from suite.sweep import CodeChanged
from suite.tracking import Store
from tests import questions
from tests.questions import setting

WORKER = "tests.fake_worker"
ROOT = Path(__file__).parent.parent


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The file in which the fake worker leaves a line a trial."""
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    (tmp_path / "log").touch()
    return tmp_path / "log"


@pytest.fixture
def asked(tmp_path, store, log):
    """A function that writes a definition, runs it, and returns the outcome with the trials that it ran."""

    def ask(*settings, workers=1, accept_code=False, rerun=False, name="small.py", **changes):
        plugins._file.cache_clear()
        before = lines(log)
        with executor.open(workers) as pool:
            outcome = sweep.run(
                plugins.question(questions.write(tmp_path / name, *settings, **changes)),
                store=store,
                executor=pool,
                listener=heard.append,
                worker=WORKER,
                accept_code=accept_code,
                rerun=rerun,
            )
        return outcome, lines(log)[len(before) :]

    heard = ask.heard = []
    return ask


def lines(log):
    return log.read_text().split("\n")[:-1]


def group(store, architecture, label="sign"):
    (found,) = [g for g in store.groups("small") if (g.label, g.architecture) == (label, architecture)]
    return found


def runs(store, where="", name="small"):
    return store.children(store._experiments(name), where)


def test_every_architecture_is_tuned_and_the_best_is_evaluated_on_fresh_seeds(asked, store):
    outcome, ran = asked()
    assert outcome == (2 * (4 + 2) + 1, outcome.failed, 0)
    assert len(ran) == len(set(ran)) == 12
    for name in ("elman", "lstm"):
        found = group(store, name)
        tuning, evaluation = found.records[:4], found.records[4:]
        done = [r for r in tuning if r.outcome == "done"]
        best = min(done, key=lambda r: r.scores["validation"]["loss"])
        assert found.document["chosen"]["values"] == best.values
        assert found.document["chosen"]["trial"] == tuning.index(best)
        assert found.document["chosen"]["validation"] == best.scores["validation"]["loss"]
        assert [r.seed for r in evaluation] == [101, 102]
        assert all(r.values == best.values and "test" in r.scores for r in evaluation)
        assert all("test" not in r.scores for r in tuning)
    assert group(store, "baseline:uniform").records[0].scores == {"validation": {"loss": 0.5}}


def test_every_architecture_and_any_number_of_workers_draw_the_same_values(asked, store, tmp_path, migrated):
    asked()
    drawn = {name: [r.values for r in group(store, name).records[:4]] for name in ("elman", "lstm")}
    assert drawn["elman"] == drawn["lstm"]
    import shutil

    (tmp_path / "other").mkdir()
    shutil.copy(migrated, tmp_path / "other" / "mlflow.db")
    second = Store(f"sqlite:///{tmp_path}/other/mlflow.db")
    with executor.open(2) as pool:
        sweep.run(plugins.question(str(tmp_path / "small.py")), store=second, executor=pool, worker=WORKER)
    assert [r.values for r in group(second, "lstm").records[:4]] == drawn["lstm"]
    assert [r.scores for r in group(second, "lstm").records] == [r.scores for r in group(store, "lstm").records]


def test_a_second_run_trains_nothing_and_loads_no_size(asked, store, monkeypatch):
    first, _ = asked()
    monkeypatch.setenv("FAKE_NO_SIZE", "lstm")
    again, ran = asked()
    assert ran == []
    assert again == (first.total, first.failed, first.total)
    assert len(runs(store, "tags.phase = 'group'")) == 3


def test_more_trials_run_only_those_that_are_new(asked, store):
    asked(trials=30, architectures=("lstm",))
    before = group(store, "lstm")
    _, ran = asked(trials=60, architectures=("lstm",))
    assert [line.split()[1] for line in ran].count("tuning") == 30
    after = group(store, "lstm")
    assert after.document["keys"]["tuning"][:30] == before.document["keys"]["tuning"]
    assert [r.run for r in after.records[:30]] == [r.run for r in before.records[:30]]
    assert {run.tags["mlflow.parentRunId"] for run in runs(store, "tags.phase = 'tuning'")} == {after.run}


@pytest.mark.parametrize("change", [{"question": "Another one?"}, {"architectures": ("lstm", "gru", "elman")}])
def test_the_question_and_the_company_change_no_key(asked, change):
    asked()
    _, ran = asked(**change)
    assert {line.split()[2] for line in ran} <= {"gru"}


def test_more_seeds_run_only_those_that_are_new(asked):
    asked()
    _, ran = asked(seeds=(101, 102, 103))
    assert sorted(line.split()[1:] for line in ran) == [["evaluation", "elman", "103"], ["evaluation", "lstm", "103"]]


def test_two_definitions_live_in_one_store_and_the_last_one_run_is_shown(asked, store):
    asked()
    narrow = group(store, "lstm").document["definition"]
    asked(high=3e-2)
    wide = group(store, "lstm").document
    assert wide["definition"] != narrow
    assert wide["space"]["learning_rate"]["high"] == 3e-2
    (old,) = [g for g in store.groups("small", definition=narrow) if g.architecture == "lstm"]
    assert len(old.records) == 6
    assert not {r.key for r in old.records} & set(wide["keys"]["tuning"])
    _, ran = asked()
    assert ran == []
    assert group(store, "lstm").document["definition"] == narrow


def test_failed_trials_are_trials_that_score_the_floor(asked, store):
    """Far from 0.01 the fake diverges: every trial is kept, and none of those is chosen while another one works."""
    outcome, _ = asked(low=1e-6, high=1e-1, trials=12)
    found = group(store, "lstm")
    assert len(found.records) == 14
    failed = [r for r in found.records if r.outcome == "diverged"]
    assert failed
    assert outcome.failed == 2 * len(failed)
    assert all(r.outcome == "done" for r in found.records[12:])
    assert {run.status for run in runs(store, "tags.outcome = 'diverged'")} == {"FAILED"}


def test_finalists_are_run_on_the_other_tuning_seeds_and_the_median_of_the_main_metric_chooses(asked, store):
    _, ran = asked(finalists=2, tuning_seeds=(0, 1, 2), architectures=("lstm",), trials=6)
    found = group(store, "lstm")
    keys = {r.key: r for r in found.records}
    tuning = [keys[key] for key in found.document["keys"]["tuning"]]
    order = sorted(range(6), key=lambda n: tuning[n].scores["validation"]["loss"] if tuning[n].outcome == "done" else 9)
    final = found.document["keys"]["finalist"]
    assert [(n, seed) for n, seed, _ in final] == [(n, seed) for n in order[:2] for seed in (0, 1, 2)]
    assert [key for _, seed, key in final if seed == 0] == [tuning[n].key for n in order[:2]]  # nothing is decoded: no second run
    assert [line.split()[1::2] for line in ran].count(["finalist", "0"]) == 0
    assert len(ran) == 6 + 2 * 2 + 2
    # main is accuracy, the more the better; the fake gives every metric the same number
    medians = {n: sorted(keys[key].scores["validation"]["accuracy"] for m, _, key in final if m == n)[1] for n in order[:2]}
    floor = found.document["metrics"]["validation"]["accuracy"]["floors"]["uniform"]
    assert all(value < floor for value in medians.values())  # both at the floor: then the better raw score
    assert found.document["chosen"]["trial"] == max(medians, key=medians.get)


def test_a_setting_tuned_as_another_takes_its_choice(asked, store):
    _, ran = asked(setting(), setting("FirstSign(length=6)", "longer", tuned_as="sign"), architectures=("lstm",))
    longer = group(store, "lstm", "longer")
    assert [line.split()[1] for line in ran].count("tuning") == 4
    assert longer.document["keys"]["tuning"] == []
    assert longer.document["chosen"] == group(store, "lstm").document["chosen"]
    assert [r.seed for r in longer.records] == [101, 102]


def test_a_result_of_another_experiment_is_reused_and_says_so(asked, store, tmp_path):
    asked()
    text = (tmp_path / "small.py").read_text().replace('"small": Exp', '"other": Exp').replace("Which one?", "Which other one?")
    (tmp_path / "other.py").write_text(text)
    with executor.open(1) as pool:
        outcome = sweep.run(plugins.question(str(tmp_path / "other.py")), store=store, executor=pool, worker=WORKER)
    assert outcome.known == outcome.total == 13
    for there, here in zip(store.groups("small"), store.groups("other"), strict=True):
        assert [r.reused_from for r in here.records] == [r.run for r in there.records]
        assert [r.reused_from for r in there.records] == [None] * len(there.records)
        for old, new in zip(there.records, here.records, strict=True):
            assert (old.scores, old.curves, old.cost, old.values, old.outcome) == (
                new.scores,
                new.curves,
                new.cost,
                new.values,
                new.outcome,
            )


def test_two_settings_of_one_identity_are_trained_once(asked, store):
    _, ran = asked(setting(label="a"), setting(label="b"), architectures=("lstm",))
    assert len(ran) == len({line.split()[0] for line in ran}) == 6
    assert [r.key for r in group(store, "lstm", "a").records] == [r.key for r in group(store, "lstm", "b").records]
    _, ran = asked(setting(label="a"), setting(label="b"), setting(label="c"), architectures=("lstm",))
    assert ran == []


def test_other_code_is_refused_accepted_or_run_again(asked, store, monkeypatch):
    asked()
    monkeypatch.setattr(sweep, "code_hash", lambda architecture, task: "new code")
    with pytest.raises(CodeChanged, match=r"12 finished trials .* --accept-code.* --rerun"):
        asked()
    assert {g.document["code"] for g in store.groups("small") if g.role != "fitted"} != {"new code"}
    _, ran = asked(accept_code=True)
    assert ran == []
    _, ran = asked(rerun=True)
    assert len(ran) == 12
    assert {r.attempt for r in group(store, "lstm").records} == {2}
    assert {r.provenance["code"] for r in group(store, "lstm").records} == {"new code"}
    _, ran = asked()
    assert ran == []


def test_a_worker_that_dies_costs_one_attempt(asked, store, tmp_path, monkeypatch):
    (tmp_path / "once").touch()
    monkeypatch.setenv("FAKE_KILL_ONCE", str(tmp_path / "once"))
    outcome, _ = asked(workers=2)
    assert outcome.failed == len(runs(store, "tags.outcome = 'diverged'"))
    assert [run.status for run in runs(store) if run.tags.get("attempt") == "1" and not run.finished] == ["KILLED"]
    assert sorted(r.attempt for g in store.groups("small") for r in g.records) == [1] * 12 + [2]


def test_a_trial_that_always_kills_its_worker_has_crashed_and_the_rest_goes_on(asked, store, monkeypatch):
    monkeypatch.setenv("FAKE_POISON", "lstm evaluation 101")
    outcome, _ = asked(workers=2)
    (crashed,) = [r for r in group(store, "lstm").records if r.outcome == "crashed"]
    assert crashed.seed == 101
    assert crashed.scores["test"]["accuracy"] == 0.5  # the floor of two classes
    assert "died 3 times" in crashed.provenance["error"]
    assert outcome.total == 13


def test_the_edge_of_the_range_is_flagged(asked, store):
    asked(low=1e-2, high=1.0, trials=8, architectures=("lstm",))  # best at its lower end
    assert group(store, "lstm").document["chosen"]["edge"]
    asked(low=1e-4, high=1.0, trials=16, architectures=("lstm",))
    assert not group(store, "lstm").document["chosen"]["edge"]


@pytest.mark.parametrize(
    ("settings", "changes", "words"),
    [
        (["FirstSign(validation_rows=0)"], {}, "empty|must be"),
        (["FirstSign()"], {"architectures": ("lstn",)}, "did you mean 'lstm'"),
    ],
)
def test_what_cannot_work_is_refused_before_any_trial(asked, store, log, settings, changes, words):
    with pytest.raises(ValueError, match=words):
        asked(*[setting(task) for task in settings], **changes)
    assert lines(log) == []
    assert store.groups("small") == []


def test_a_size_that_no_width_meets_is_refused_before_any_trial(asked, store, log, monkeypatch):
    monkeypatch.setenv("FAKE_NO_SIZE", "lstm")
    with pytest.raises(ValueError, match="lstm on 'sign': no width of lstm meets it"):
        asked()
    assert lines(log) == []
    assert store.groups("small") == []


def test_the_listener_hears_how_far_it_has_come(asked):
    asked()
    (first,) = [update for update in asked.heard if update.kind == "plan"]
    last = asked.heard[-1]
    assert (first.done, first.total) == (0, 13)
    assert (last.done, last.total) == (13, 13)
    assert [u.kind for u in asked.heard].count("chosen") == 2
    assert all(u.done <= u.total == 13 for u in asked.heard if u.kind != "note")


def test_an_interrupt_marks_what_runs_and_the_next_run_goes_on(asked, store, log):
    def stop(update):
        if update.kind == "point" and update.done == 3:
            raise KeyboardInterrupt

    path = questions.write(Path(log).parent / "small.py")
    with pytest.raises(KeyboardInterrupt), executor.open(1) as pool:
        sweep.run(plugins.question(path), store=store, executor=pool, listener=stop, worker=WORKER)
    assert [run.status for run in runs(store) if not run.finished and "key" in run.tags] == ["KILLED"]
    assert {run.status for run in runs(store, "tags.phase = 'group'")} == {"KILLED"}
    asked()
    counts = [lines(log).count(line) for line in set(lines(log))]
    assert sorted(counts) == [1] * 11 + [2]
    assert {run.status for run in runs(store, "tags.phase = 'group'")} == {"FINISHED"}


DRIVER = """
import sys
from suite import executor, plugins, sweep
from suite.tracking import Store
if __name__ == "__main__":
    with executor.open(int(sys.argv[2])) as pool:
        outcome = sweep.run(plugins.question(sys.argv[1]), store=Store(sys.argv[3]), executor=pool, worker="tests.fake_worker")
    print(outcome)
"""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_driver_is_continued_and_no_finished_trial_runs_twice(store, log, tmp_path, workers):
    question = questions.write(tmp_path / "small.py", trials=8)
    (tmp_path / "driver.py").write_text(DRIVER)
    command = [sys.executable, tmp_path / "driver.py", question, workers, store.uri]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FAKE_SLEEP": "0.2"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while len(lines(log)) < 6 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    before = runs(store)
    finished = {run.tags["key"] for run in before if run.finished}
    assert [run for run in before if run.status == "RUNNING" and "key" in run.tags]
    assert finished
    time.sleep(1)
    started = len(lines(log))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = {line.split()[0] for line in lines(log)[started:]}
    assert not again & finished
    assert not [run for run in runs(store) if run.status == "RUNNING"]
    assert len([r for g in store.groups("small") for r in g.records]) == 2 * (8 + 2) + 1
    assert json.dumps(max(r.attempt for g in store.groups("small") for r in g.records)) == "2"
