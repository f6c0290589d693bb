"""Jobs run where they should, survive what kills their worker, and leave no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from suite import executor
from suite.executor import Job
from suite.jobs import Waiting

ECHO = "tests.fake_worker:echo"
ROOT = Path(__file__).parent.parent


def job(n, group="g", **body):
    return Job(f"job {n}", ECHO, {"n": n, **body}, group)


@pytest.fixture(scope="module")
def pools():
    """Executors of one and of two workers, for the tests that leave them as they are: starting a worker takes seconds."""
    with executor.open(1) as one, executor.open(2) as two:
        yield {1: one, 2: two}


def heard(pool, jobs):
    for each in jobs:
        pool.submit(each)
    messages = []
    pool.work(messages.append)
    return messages


def of(messages, kind):
    return [message for message in messages if message.kind == kind]


def test_a_worker_stays_with_its_group_and_helps_another_before_it_idles():
    waiting = Waiting()
    for n in range(3):
        waiting.put(job(n, "a"))
    waiting.put(job(3, "b"))
    assert waiting.take(None, set()).group == "a"
    assert waiting.take(None, {"a"}).group == "b"
    assert waiting.take("a", {"a"}).group == "a"
    assert waiting.take("b", {"a"}).group == "a"
    assert not waiting


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_answered_and_its_events_come_in_order(pools, workers):
    messages = heard(pools[workers], [job(n, f"group {n % 2}", events=4, pause=0.2) for n in range(4)])
    assert sorted(message.answer["n"] for message in of(messages, "done")) == [0, 1, 2, 3]
    for n in range(4):
        events = [event for message in of(messages, "events") if message.job.body["n"] == n for event in message.events]
        assert [(event.step, event.value) for event in events] == [(0, 0.0), (1, 0.5), (2, 1.0), (3, 1.5)]
    kinds = [message.kind for message in messages if message.job.body["n"] == 3]
    assert kinds[0] == "started"
    assert kinds[-1] == "done"


def test_one_worker_is_this_process_and_several_are_others_with_their_share_of_the_cores(pools):
    assert of(heard(pools[1], [job(0)]), "done")[0].answer["process"] == os.getpid()
    answers = [message.answer for message in of(heard(pools[2], [job(n, str(n), events=1, pause=0.5) for n in range(2)]), "done")]
    share = max(1, len(os.sched_getaffinity(0)) // 2)
    assert len({answer["process"] for answer in answers} | {os.getpid()}) == 3
    assert {answer["threads"] for answer in answers} == {str(share)}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_is_an_answer_and_the_others_go_on(pools, workers):
    messages = heard(pools[workers], [job(0, **{"raise": "no such corpus"}), job(1)])
    assert [message.text for message in of(messages, "failed")] == ["ValueError: no such corpus"]
    assert [message.answer["n"] for message in of(messages, "done")] == [1]


@pytest.mark.parametrize("workers", [1, 2])
def test_who_hears_of_one_job_may_submit_the_next(pools, workers):
    seen, pool = [], pools[workers]

    def hear(message):
        seen.append((message.kind, message.job.body["n"]))
        if message.kind == "done" and message.job.body["n"] < 3:
            pool.submit(job(message.job.body["n"] + 1))

    pool.submit(job(0))
    pool.work(hear)
    assert [n for kind, n in seen if kind == "done"] == [0, 1, 2, 3]


def test_a_killed_worker_repeats_its_own_job_only(tmp_path, monkeypatch):
    once = tmp_path / "once"
    once.touch()
    monkeypatch.setenv("FAKE_KILL_ONCE", str(once))
    with executor.open(2) as pool:
        messages = heard(pool, [job(n, str(n), events=2, pause=0.3) for n in range(4)])
    assert sorted(message.answer["n"] for message in of(messages, "done")) == [0, 1, 2, 3]
    (lost,) = of(messages, "lost")
    starts = [message.job.name for message in of(messages, "started")]
    assert sorted(starts) == sorted([*(f"job {n}" for n in range(4)), lost.job.name])


def test_a_job_that_always_kills_its_worker_is_given_up_and_the_others_are_done(monkeypatch):
    monkeypatch.setenv("FAKE_POISON", "0")
    with executor.open(2) as pool:
        messages = heard(pool, [job(n, str(n)) for n in range(3)])
    assert of(messages, "died")[0].text.endswith("about to die")
    assert [(message.job.name, "died 3 times" in message.text) for message in of(messages, "died")] == [("job 0", True)]
    assert len(of(messages, "lost")) == executor.MOST_DEATHS - 1
    assert sorted(message.answer["n"] for message in of(messages, "done")) == [1, 2]


def test_no_process_and_no_variable_is_left_behind():
    before, variables = psutil.Process().children(recursive=True), dict(os.environ)
    with executor.open(2) as pool:
        heard(pool, [job(0)])
    deadline = time.monotonic() + 10
    while left := [
        p for p in psutil.Process().children(recursive=True) if p not in before and "resource_tracker" not in " ".join(p.cmdline())
    ]:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    assert dict(os.environ) == variables


DRIVER = """
from suite import executor
from suite.executor import Job
if __name__ == "__main__":
    with executor.open(2) as pool:
        for n in range(2):
            pool.submit(Job(f"job {n}", "tests.fake_worker:echo", {"n": n, "events": 600, "pause": 0.1}, str(n)))
        count = 0
        def hear(message):
            global count
            count += message.kind == "started"
            if count == 2:
                print("running", flush=True)
                count = 3
        pool.work(hear)
"""


@pytest.fixture
def driver(tmp_path):
    """A driver in a process group of its own, busy with two jobs; and its workers."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        yield process, psutil.Process(process.pid).children(recursive=True)


def gone(processes, seconds=15):
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_workers_end_with_a_driver_that_is_killed(driver):
    process, workers = driver
    assert len(workers) >= 2
    process.kill()
    assert gone(workers)


def test_an_interrupt_from_the_terminal_ends_all_quickly_with_one_traceback(driver):
    process, workers = driver
    begun = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert gone(workers)
    assert time.monotonic() - begun < 30
    assert process.returncode in (1, 130, -signal.SIGINT)
    assert errors.count("Traceback") == 1, errors
    assert errors.strip().endswith("KeyboardInterrupt")


def test_two_sweeps_at_once_do_not_get_in_each_others_way():
    """Also without a word: a warning would fail this test."""
    with executor.open(2) as first, executor.open(2) as second:
        for pool in (first, second):
            assert [message.answer["n"] for message in of(heard(pool, [job(1)]), "done")] == [1]


def test_fewer_than_one_worker_is_refused():
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"), executor.open(0):
        pass
