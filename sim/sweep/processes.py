"""An executor of independent worker processes: a worker that dies loses only its own call and is replaced.

`concurrent.futures.ProcessPoolExecutor` gives up all workers and their work when one of them dies. Here each worker is a
fresh interpreter with a pipe to its parent. It runs in its own process group, so Ctrl-C reaches only the parent, and it
exits when the parent is gone for whatever reason. Nothing is forked, so threads are safe.
"""

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from typing import IO, Any

_HEAD = 8  # bytes of a message's length


class WorkerDiedError(BrokenExecutor):
    """The process that ran a call has died."""


class Processes(Executor):
    """A fixed number of worker processes, each started when first needed."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._closed = False
        for _ in range(workers):
            self._idle.put(self._new())

    def _new(self) -> "_Worker":
        worker = _Worker(self._closed)
        self._all.append(worker)
        return worker

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Calls a function in a free worker."""
        return self._threads.submit(self._call, function, arguments, named)

    def _call(self, function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        worker = self._idle.get()
        try:
            return worker.call(function, arguments, named)
        except WorkerDiedError:
            self._all.remove(worker)
            worker.kill()
            worker = self._new()
            raise
        finally:
            self._idle.put(worker)

    @property
    def processes(self) -> list[int]:
        """The ids of the running processes."""
        return [worker.process.pid for worker in list(self._all) if worker.process is not None]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shuts down; without `wait`, calls in progress are abandoned at once."""
        if wait:
            self._threads.shutdown(True, cancel_futures=cancel_futures)
        else:
            self._threads.shutdown(False, cancel_futures=True)
        self._closed = True
        for worker in list(self._all):
            worker.kill()


class _Worker:
    """One process, started at its first call."""

    def __init__(self, killed: bool = False) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._killed = killed

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Runs the function in the process; an exception there is raised here."""
        if self._killed:
            raise WorkerDiedError("the worker was shut down")
        if self.process is None:
            # The worker must find modules wherever this process does.
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
            command = [sys.executable, "-P", "-c", "from sim.sweep.processes import serve; serve()"]
            group = 0 if os.name == "posix" else None
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, process_group=group
            )
            if self._killed:
                self.kill()
        assert self.process is not None and self.process.stdin is not None and self.process.stdout is not None
        try:
            _send(self.process.stdin, (function, arguments, named))
            good, value = _receive(self.process.stdout)
        except (OSError, EOFError, ValueError):
            raise WorkerDiedError(f"worker process {self.process.pid} died") from None
        if not good:
            raise value
        return value

    def kill(self) -> None:
        """Kills the process at once."""
        self._killed = True
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


def _send(pipe: IO[bytes], message: Any) -> None:
    data = pickle.dumps(message)
    pipe.write(len(data).to_bytes(_HEAD, "big") + data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    head = pipe.read(_HEAD)
    data = pipe.read(int.from_bytes(head, "big")) if len(head) == _HEAD else b""
    if not data or len(data) != int.from_bytes(head, "big"):
        raise EOFError
    return pickle.loads(data)


def serve() -> None:
    """A worker's main loop: serves calls until the parent is gone, even in the middle of one."""
    calls, results = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # printed text must not mix with the results
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                waiting.put(_receive(calls))
        finally:
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        function, arguments, named = waiting.get()
        try:
            answer = True, function(*arguments, **named)
        except Exception as error:
            answer = False, error
        try:
            _send(results, answer)
        except OSError:
            os._exit(0)
        except Exception as error:  # cannot be pickled
            _send(results, (False, RuntimeError(f"{type(error).__name__}: {error}")))
