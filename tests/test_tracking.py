"""Results survive the store exactly, an outage, a kill, and whoever calls from another folder."""

import json
import math
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from suite import rows, spool
from suite.result import MOST_POINTS, Event, Result
from suite.rows import NewRun
from suite.store_location import location, on_network_disk, project_folder
from suite.tracking import OldSchema, Store, StoreError

NAN = math.nan
ROOT = Path(__file__).parent.parent


def new_run(store, key="k1", *, attempt=1, values=None, name="small", label="sign"):
    experiment = store.experiment(name, label, note="", primary="final/test/loss")
    tags = {"phase": "tuning", "key": key, "attempt": str(attempt), "architecture": "lstm", "task": "t", "label": label}
    tags |= {"seed": "7", "number": "0", "code": "c"}
    params = {name: rows.text_of(value) for name, value in (values or {}).items()}
    return NewRun(experiment, "parent", "lstm tuning 0", tags, {**params, "setting/steps": "10"})


def kept(store, result, *, values=None, events=()):
    """Write a result as a sweep does, and read it back."""
    new = new_run(store, result.key, values=values)
    run = store.start(new)
    store.log(run, events)
    assert store.finish(run, new, result) is None
    fresh = Store(store.uri)  # knows nothing but the database
    (child,) = [child for child in fresh.children([new.experiment]) if child.run == run]
    return fresh.records([child])[0]


def same(first, second):
    """Equal, with NaN equal to NaN, and to the last bit."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


FULL = Result(
    key="k1",
    outcome="done",
    scores={"validation": {"loss": 0.1 + 0.2, "recall": 1 / 3}, "test/length": {"loss": 5e-324}, "test": {"loss": 1.7976931348623157e308}},
    curves={
        "train/loss": tuple((float(s), math.sin(s) * 10.0 ** (s % 40 - 20)) for s in range(0, 640, 10)),
        "grad/by_lag": ((0.0, 1.0), (1.0, NAN), (2.0, 1e-300)),
        "final/test/by_length": ((10.0, 0.5), (20.0, 0.25)),
    },
    cost={"speed/tokens_per_second": 12345.678901234567, "steps_to_solve": NAN, "size/parameters": 1220.0},
    provenance={"impl": "plain", "error": "", "note": "three words here"},
)


def test_a_result_comes_back_as_it_was_to_the_last_bit(store):
    found = kept(store, FULL)
    assert same(found.scores, FULL.scores)
    assert same(found.curves, FULL.curves)
    assert same(found.cost, FULL.cost)
    assert found.provenance == FULL.provenance
    assert (found.key, found.outcome, found.seed, found.phase, found.architecture) == ("k1", "done", 7, "tuning", "lstm")


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-5, 3, -1, True, False, None, "elman", "1", "true", "null", "", 1.0])
def test_a_value_comes_back_with_its_type(store, value):
    found = kept(store, Result(key="k", outcome="done"), values={"clip": value}).values
    assert found == {"clip": value}
    assert type(found["clip"]) is type(value)


def test_infinities_become_nan(store):
    found = kept(
        store, Result(key="k", outcome="diverged", scores={"validation": {"loss": math.inf}}, curves={"train/loss": ((1.0, -math.inf),)})
    )
    assert math.isnan(found.scores["validation"]["loss"])
    assert math.isnan(found.curves["train/loss"][0][1])
    assert found.outcome == "diverged"


def test_steps_that_are_no_whole_numbers_and_steps_out_of_order_survive(store):
    curves = {"a/b": ((0.5, 1.0), (1.5, 2.0)), "c/d": ((2.0, 1.0), (1.0, 2.0)), "e/f": ((1.0, 1.0), (1.0, 3.0)), "g/h": ()}
    assert kept(store, Result(key="k", outcome="done", curves=curves)).curves == curves


def test_more_than_thirty_names_stay_thirty_metrics_and_nothing_is_lost(store):
    result = Result(
        key="k",
        outcome="done",
        scores={split: {f"m{n}": n / 7 for n in range(10)} for split in ("validation", "test", "test/length")},
        curves={f"val/m{n}": ((1.0, n / 3),) for n in range(10)},
        cost={f"speed/{n}": n / 11 for n in range(10)} | {"size/parameters": 5.0},
    )
    found = kept(store, result)
    assert (found.scores, found.curves, found.cost) == (result.scores, result.curves, result.cost)
    (child,) = [child for child in store.children(store._experiments()) if child.run == found.run]
    assert len(child.metrics) == rows.MOST_KEYS


def test_points_logged_while_it_ran_are_not_logged_twice(store):
    curve = tuple((float(s), s / 3) for s in range(1, 11))
    events = [Event("k", "val/loss", step, value) for step, value in curve[:6]]
    found = kept(store, Result(key="k", outcome="done", curves={"val/loss": curve}), events=events)
    assert found.curves == {"val/loss": curve}
    assert len(store._client.get_metric_history(found.run, "val/loss")) == 10


def test_a_curve_is_right_though_other_points_were_shown_while_it_ran(store):
    """Training thins its curves in the end: the points shown before stay for the eye, the result counts."""
    events = [Event("k", "train/loss", step, step / 7) for step in range(200)]
    curve = tuple((float(step), step / 7) for step in range(0, 200, 5))
    found = kept(store, Result(key="k", outcome="done", curves={"train/loss": curve}), events=events)
    assert found.curves == {"train/loss": curve}
    assert found.cost == {}
    assert len(store._client.get_metric_history(found.run, "train/loss")) == MOST_POINTS


def test_a_long_error_keeps_its_end(store):
    found = kept(store, Result(key="k", outcome="crashed", provenance={"error": "x" * 20_000 + "the cause"}))
    assert found.provenance["error"].endswith("the cause")


def test_a_document_longer_than_a_tag_is_spread_over_several(store):
    experiment = store.experiment("small", "sign", note="", primary="p")
    document = {"keys": {"tuning": [f"{n:064x}" for n in range(1000)]}, "order": 0, "name": "Zürich"}
    tags = {"architecture": "lstm", "definition": "d", "begun": "1", "label": "sign", "role": "model"}
    run = store.parent(experiment, "lstm", tags, document)
    (group,) = Store(store.uri).groups("small")
    assert group.document == document
    shorter = {**document, "keys": {"tuning": []}}
    assert store.parent(experiment, "lstm", tags, shorter) == run
    assert Store(store.uri).groups("small")[0].document == shorter


def test_a_run_without_its_outcome_is_not_a_result(store):
    """What a kill leaves in the middle of writing: metrics, and no outcome."""
    new = new_run(store)
    run = store.start(new)
    written = rows.of_result(FULL, {})
    store._log(run, written._replace(tags={}))
    (child,) = store.children([new.experiment])
    assert not child.finished
    store.mend(child)
    assert store.children([new.experiment])[0].status == "KILLED"


def test_a_run_killed_after_its_outcome_is_a_result(store):
    new = new_run(store)
    run = store.start(new)
    store._log(run, rows.of_result(FULL, {}))
    store.mend(store.children([new.experiment])[0])
    (child,) = store.children([new.experiment])
    assert child.finished
    assert child.status == "FINISHED"


class Away:
    """A client that answers to nothing, as when the server is gone."""

    def __getattr__(self, name):
        def refuse(*arguments, **options):
            raise MlflowException("connection refused")

        return refuse


def test_a_result_that_the_store_cannot_take_is_spooled_and_sent_by_the_next_command(store):
    new = new_run(store)
    run = store.start(new)
    store.log(run, [Event("k1", "train/loss", 0, FULL.curves["train/loss"][0][1])])
    client, store._opened = store._opened, Away()
    path = store.finish(run, new, FULL)
    unborn = new_run_away(store, new)
    second = store.finish(store.start(unborn), unborn, Result(key="k2", outcome="done"))
    assert path.parent == store.root / "spool"
    assert {path, second} == set(path.parent.iterdir())
    del client
    again = Store(store.uri)
    assert again.prepare() == 2
    assert not list(path.parent.iterdir())
    found = {record.key: record for record in again.records(again.children([new.experiment]))}
    assert set(found) == {"k1", "k2"}
    assert same(found["k1"].curves, FULL.curves)
    assert found["k1"].run == run
    assert again.prepare() == 0


def new_run_away(store, new):
    """Nothing of a second run is in the store when the outage begins."""
    return new._replace(tags={**new.tags, "key": "k2"})


def test_a_spooled_file_is_whole_or_not_there(tmp_path, monkeypatch):
    def cut(body, file):
        file.write('{"uri": "s')
        raise OSError("disk full")

    monkeypatch.setattr(spool.json, "dump", cut)
    with pytest.raises(OSError, match="disk full"):
        spool.put(tmp_path, {"uri": "sqlite:///x"})
    assert list(spool.waiting(tmp_path, "sqlite:///x")) == []


def test_a_spooled_result_of_another_store_waits_for_that_store(store):
    spool.put(store.root / "spool", {"uri": "http://elsewhere:5000"})
    assert store.prepare() == 0
    assert len(list((store.root / "spool").iterdir())) == 1


def test_a_result_of_a_deleted_run_is_put_aside_and_blocks_nothing(store):
    new = new_run(store)
    run = store.start(new)
    store._client.delete_experiment(new.experiment)
    store._opened = Away()
    store.finish(run, new, FULL)
    again = Store(store.uri)
    assert again.prepare() == 0
    assert [path.suffix for path in (store.root / "spool").iterdir()] == [".refused"]


def test_an_old_schema_gives_the_command_that_upgrades_it(store):
    with sqlite3.connect(store.root / "mlflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'cc1f77228345'")
    connection.close()
    command = rf"mlflow db upgrade {store.uri}"
    with pytest.raises(OldSchema, match=command):
        Store(f"{store.uri}").prepare()
    with pytest.raises(OldSchema, match=command):
        Store(store.uri).inspect()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(f"sqlite:///{tmp_path}/mlflow.db").prepare()


def test_a_new_store_is_made_in_one_step_with_a_write_ahead_log(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/new/mlflow.db")
    assert "not created yet" in store.inspect()
    assert store.groups("small") == []
    assert not (tmp_path / "new").exists()
    store.prepare()
    assert not list((tmp_path / "new").glob("*.partial*"))
    with sqlite3.connect(tmp_path / "new" / "mlflow.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_two_commands_may_create_the_store_at_once(tmp_path):
    code = f"from suite.tracking import Store; s = Store('sqlite:///{tmp_path}/mlflow.db'); s.prepare(); print(s.inspect())"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        out, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
        assert out == "0 settings of experiments\n"


def test_addresses_are_absolute_and_do_not_depend_on_the_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert location() == (f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    assert location("sqlite:///sub/my.db") == (f"sqlite:///{tmp_path}/sub/my.db", tmp_path / "sub")
    monkeypatch.chdir(ROOT / "tests")
    assert location() == (f"sqlite:///{ROOT}/mlflow.db", ROOT)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert location() == ("http://host:5000", ROOT)
    assert location("sqlite:////a/b.db") == ("sqlite:////a/b.db", Path("/a"))


def test_another_project_is_not_ours(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert project_folder(tmp_path) == tmp_path
    (tmp_path / "inner").mkdir()
    assert project_folder(tmp_path / "inner") == tmp_path / "inner"


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "sqlite://", "sqlite:///:memory:"])
def test_a_store_that_is_no_database_is_refused(uri):
    with pytest.raises(ValueError, match="sqlite:///"):
        location(uri)


def test_a_write_ahead_log_is_not_used_on_a_network_disk(monkeypatch):
    import psutil

    disks = [
        type("Disk", (), {"mountpoint": mount, "fstype": kind})()
        for mount, kind in (("/", "ext4"), ("/home", "nfs4"), ("/home/me/local", "xfs"))
    ]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: disks)
    assert on_network_disk(Path("/home/me"))
    assert not on_network_disk(Path("/home/me/local/x"))
    assert not on_network_disk(Path("/work"))


def test_the_interface_of_mlflow_finds_what_it_groups_by(store):
    new = new_run(store)
    found = store._client.get_experiment(new.experiment)
    assert found.name == "small/sign"
    assert found.tags["mlflow.experimentKind"] == "custom_model_development"
    assert found.tags["mlflow.experiment.primaryMetric.name"] == "final/test/loss"
    assert found.artifact_location == (store.root / "mlruns" / "small%2Fsign").as_uri()
    run = store.start(new)
    child = store.children([new.experiment])[0]
    assert child.tags["mlflow.parentRunId"] == "parent"
    assert {"architecture", "task", "seed", "phase", "key", "attempt", "code"} <= set(child.tags)
    assert store._client.get_run(run).info.run_name == "lstm tuning 0"


def test_a_deleted_experiment_is_not_revived_silently(store):
    new = new_run(store)
    store._client.delete_experiment(new.experiment)
    with pytest.raises(StoreError, match=f"experiments restore --experiment-id {new.experiment}"):
        new_run(store)


def test_telemetry_is_off():
    code = "import suite.tracking, os; print(os.environ['MLFLOW_DISABLE_TELEMETRY'])"
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_DISABLE_TELEMETRY"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout == "true\n"


def test_an_outage_is_not_waited_for_at_every_write(store):
    new = new_run(store)
    run = store.start(new)
    calls = []

    class Slow(Away):
        def __getattr__(self, name):
            calls.append(name)
            return super().__getattr__(name)

    store._opened = Slow()
    for step in range(20):
        store.log(run, [Event("k1", "train/loss", step, 1.0)])
    begun = time.monotonic()
    assert store.finish(run, new, FULL) is not None
    assert calls == ["log_batch"]
    assert time.monotonic() - begun < 5
