"""A Dask scheduler and two workers, processes of their own that are reached over TCP."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from class_of_many import (
    Process,
    alive,
    class_of,
    descendants,
    gone,
    grader,
    progress,
    result,
    wait_for,
)
from small_course import ANSWERS, LESSON, hand_in, ready_course

from autograder.cli import main
from autograder.errors import Problem
from autograder.grading import cluster
from autograder.grading.assignment import read_assignment
from autograder.grading.workers import Job

pytest.importorskip("distributed", reason="Dask is not installed (the extra `cluster`)")


@dataclass
class Dask:
    """A scheduler and its workers."""

    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", f"distributed.cli.dask_{name.split('-')[0]}"]
            environment = os.environ | {"DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "False"}
            process = subprocess.Popen(
                [*command, *arguments], stdout=log, stderr=log, cwd=self.folder, env=environment
            )
        self.started.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def scheduler(self) -> str:
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        found = r"Scheduler at:\s+(tcp://\S+)"
        assert wait_for(lambda: re.search(found, self.log("scheduler")))
        match = re.search(found, self.log("scheduler"))
        assert match
        return match[1]

    def worker(self, address: str, number: int) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", f"w{number}")
        return self.start(f"worker-{number}", address, *options)


@pytest.fixture
def dask(tmp_path: Path) -> Generator[Dask]:
    found = Dask(tmp_path / "dask")
    found.folder.mkdir()
    seen: set[Process] = set()
    try:
        yield found
    finally:
        for process in reversed(found.started):
            seen |= set(descendants(process.pid))
            process.terminate()
        for process in found.started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert gone(seen), f"left behind: {alive(seen)}"


@pytest.mark.slow
def test_two_workers_one_killed(tmp_path: Path, dask: Dask) -> None:
    _, expected = class_of(tmp_path / "course", 32)
    address = dask.scheduler()
    workers = [dask.worker(address, number) for number in (0, 1)]
    for name in ("worker-0", "worker-1"):
        assert wait_for(lambda name=name: "Registered to" in dask.log(name))
    run = grader(tmp_path / "course", "--cluster", address)
    try:
        assert wait_for(lambda: len(progress(tmp_path / "course")) >= 12, 120)
        below = set(descendants(workers[0].pid))
        assert below, "it was at work"
        assert run.poll() is None
        workers[0].kill()
        assert run.wait(120) == 1
    finally:
        run.kill()
    assert result(tmp_path / "course") == expected
    assert gone(below), f"left behind by the worker that was killed: {alive(below)}"


@pytest.mark.slow
def test_a_cluster_that_is_gone(tmp_path: Path, dask: Dask) -> None:
    course, released = ready_course(tmp_path / "course")
    slow = "import time\ntime.sleep(15)\n" + ANSWERS["total"]
    for number in range(3):
        hand_in(course.root, f"s{number}", released, ANSWERS | {"total": slow})
    address = dask.scheduler()
    worker = dask.worker(address, 0)
    run = grader(course.root, "--cluster", address)
    assert wait_for(lambda: descendants(worker.pid)), "it is at work"
    time.sleep(1)
    dask.started[0].kill()
    assert run.wait(90) == 2
    said = (course.root / "stderr.txt").read_text()
    assert f"the scheduler at {address} is gone; what is graded is kept" in said
    assert "Traceback" not in said


MOMENTS: dict[str, Callable[[cluster.Cluster], object]] = {
    "versions are compared": lambda pool: pool._compare(),
    "room is asked for": lambda pool: wait_for(lambda: pool.room < 0),
    "a worker is looked for": lambda pool: wait_for(lambda: pool._look()),
    "results are waited for": lambda pool: (
        pool._send(Job("s", (), None, "key"), "{}"),
        pool.finished(),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 1.0])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_scheduler_that_is_gone_is_named_whenever_it_goes(
    tmp_path: Path, dask: Dask, moment: str, pause: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, _ = ready_course(tmp_path / "course")
    assignment, _ = read_assignment(course, LESSON)
    address = dask.scheduler()
    dask.worker(address, 0)
    assert wait_for(lambda: "Registered to" in dask.log("worker-0"))
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 4)
    with cluster.Cluster(address, assignment, 1) as pool:
        dask.started[0].kill()
        dask.started[0].wait()
        time.sleep(pause)
        with pytest.raises(Problem, match=f"the scheduler at {address} is gone"):
            MOMENTS[moment](pool)


def test_nobody_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course, released = ready_course(tmp_path)
    hand_in(course.root, "s", released)
    monkeypatch.chdir(course.root)
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2)
    assert main(["grade", "1", "--cluster", "tcp://127.0.0.1:9"]) == 2
    err = capsys.readouterr().err
    assert "no cluster answers at tcp://127.0.0.1:9" in err and err.count("\n") == 1
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["grade", "1", "--cluster", "tcp://127.0.0.1:9"]) == 2
    assert "pip install -e '.[cluster]'" in capsys.readouterr().err


def test_a_lesson_travels_as_plain_data(tmp_path: Path) -> None:
    course, _ = ready_course(tmp_path / "course")
    folder = course.master("1").parent
    (folder / "numbers.csv").write_bytes(b"1,2\r\n")
    (folder / "more").mkdir()
    (folder / "more" / "raw.bin").write_bytes(bytes(range(256)))
    assignment, _ = read_assignment(course, LESSON)
    there = tmp_path / "there"
    there.mkdir()
    arrived = cluster.unpack(json.loads(json.dumps(cluster.pack(assignment))), there)
    assert [one.cells for one in arrived.parts] == [one.cells for one in assignment.parts]
    assert (arrived.name, arrived.names) == (LESSON, (LESSON,))
    assert [path.name for path in arrived.given] == ["more", "numbers.csv"]
    assert (there / LESSON / "more" / "raw.bin").read_bytes() == bytes(range(256))


def test_other_versions_are_named() -> None:
    ours = cluster.environment()
    assert cluster._difference(ours, dict(ours)) == ""
    assert "numpy 1.0, not" in cluster._difference(ours, ours | {"numpy": "1.0"})
    assert cluster._difference(ours, ours | {"chainrule": "0" * 64}) == "other code in chainrule"
