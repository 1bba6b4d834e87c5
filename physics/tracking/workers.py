"""Worker processes: fresh interpreters that compute jobs and end with the process that made them.

Each is `python -c serve` on two pipes: it needs no guard around the caller's main module, runs
linear algebra on one thread (results do not depend on the number of workers), does not hear the
terminal's Ctrl-C, and ends when its pipe closes, however the parent ends.
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
import os
import pickle
import queue
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

_SERVE = "from physics.tracking.workers import serve; serve()"
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class WorkerError(RuntimeError):
    """A worker process ended without an answer."""


class Workers:
    """Up to `count` processes, started when they are first needed and kept until `close`."""

    def __init__(self, count: int):
        """Prepare workers.

        Args:
            count: processes at most; 0 takes one for each core that this process may use.
        """
        self.count = count or available_cores()
        self.processes: list[subprocess.Popen] = []
        self._finalizer = weakref.finalize(self, _end, self.processes)

    def map(
        self,
        function: Callable,
        jobs: list[tuple],
        progress: Callable[[int], None] | None = None,
    ) -> list[Any]:
        """`function(*job)` of all jobs, in order.

        Args:
            function: importable by its module and name.
            jobs: picklable arguments.
            progress: called in this thread with the number of jobs done.

        Raises:
            WorkerError: a worker died.
            Exception: what the function raised; the workers are ended then, as on Ctrl-C.
        """
        while len(self.processes) < min(self.count, len(jobs)):
            self.processes.append(_start())
        waiting, answers = deque(enumerate(jobs)), queue.Queue()
        threads = [
            threading.Thread(target=_drive, args=(p, function, waiting, answers), daemon=True)
            for p in self.processes
        ]
        results: list[Any] = [None] * len(jobs)
        try:
            for thread in threads:
                thread.start()
            for done in range(1, len(jobs) + 1):
                index, answer, error = answers.get()
                if error is not None:
                    raise error
                results[index] = answer
                if progress is not None:
                    progress(done)
        except BaseException:
            waiting.clear()
            self.close()
            raise
        finally:
            for thread in threads:
                thread.join()
        return results

    def close(self) -> None:
        """End all workers; a later `map` starts new ones."""
        _end(self.processes)


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start() -> subprocess.Popen:
    # The worker must find the modules that this process found, and load them in the same order.
    paths = os.pathsep.join(path for path in sys.path if path) or os.getcwd()
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": paths},
        start_new_session=True,
    )


def _end(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:  # bytes that were still to be sent to the dead worker
                pass
    processes.clear()


def _drive(process: subprocess.Popen, function: Callable, waiting: deque, answers: queue.Queue):
    """Feed one worker from the common queue until it is empty."""
    assert process.stdin is not None
    assert process.stdout is not None
    while True:
        try:
            index, job = waiting.popleft()
        except IndexError:
            return
        try:
            pickle.dump((function, job), process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            answer, error = pickle.load(process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError):
            code = process.poll()
            error = WorkerError(f"a worker ended (exit status {code}) while computing job {index}")
            answers.put((index, None, error))
            return
        answers.put((index, answer, error))


def serve() -> None:
    """Answer jobs from standard input on standard output until it closes."""
    import mujoco

    # What is printed must not mix with answers, and unstable clips must not write a log file.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    mujoco.set_mju_user_warning(lambda _: None)
    while True:
        try:
            function, job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = (function(*job), None)
        except Exception as error:
            answer = (None, error)
        try:
            pickle.dump(answer, channel, protocol=pickle.HIGHEST_PROTOCOL)
            channel.flush()
        except BrokenPipeError:
            os._exit(0)
