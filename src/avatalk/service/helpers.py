"""Child processes that do what is too heavy, or too risky, for the process that answers: a frame, a speech.

A child is warm: what it imported and opened serves the next task. It does one task at a time and is killed
when that takes too long or too much memory, or when whoever asked has gone; the next task gets a fresh one.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Condition, Event
from typing import Any, TypeVar

from anyio import CapacityLimiter, create_task_group, sleep, to_thread
from fastapi import Request

from avatalk.errors import AvatalkError, Cancelled, CannotRun, TooLarge, TooMany

log = logging.getLogger("avatalk.service")

T = TypeVar("T")
OnStep = Callable[[dict[str, Any]], None]

_LOOK_EVERY_S = 0.05
_WAITING = 32  # more are asked to come again


class Helpers:
    """A few children that do the tasks of `avatalk.service.tasks`.

    Args:
        size: how many tasks run at once.
        memory_mb: a child that holds more is killed; on Linux. None for no limit.
        warm: whether a child is kept for the next task.
    """

    def __init__(self, size: int, memory_mb: float | None, *, warm: bool = True) -> None:
        self._size, self._memory, self._warm = size, memory_mb, warm
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._waiting = 0
        self._closed = False
        self._free = Condition()
        self._threads: CapacityLimiter | None = None

    def run(
        self,
        task: str,
        *,
        timeout_s: float,
        gone: Event | None = None,
        on_step: OnStep | None = None,
        **arguments: Any,
    ) -> Any:
        """Return what the task returns.

        Args:
            task: name of a function in `avatalk.service.tasks`, or ``"module:function"``.
            timeout_s: seconds it may take, from when it begins.
            gone: set when nobody waits any more.
            on_step: called with what the task tells of its progress.
            **arguments: of the task.

        Raises:
            TooMany: too many wait already.
            TooLarge: it took too long, or too much memory.
            CannotRun: its process ended.
            Cancelled: `gone` was set.
            AvatalkError: of the task itself.
        """
        gone = gone or Event()
        child = self._take(gone)
        keep = False
        try:
            value = child.do(task, arguments, timeout_s, self._memory, gone, on_step)
            keep = self._warm
        except AvatalkError as error:
            keep = self._warm and child.usable
            raise error
        finally:
            self._give(child, keep)
        return value

    async def serve(self, request: Request, task: str, *, timeout_s: float, **arguments: Any) -> Any:
        """`run` for a route: the task ends when its client leaves."""
        gone, done = Event(), Event()
        value: list[Any] = []

        def work() -> None:
            try:
                value.append(self.run(task, timeout_s=timeout_s, gone=gone, **arguments))
            except Exception as error:  # noqa: BLE001 - raised below, outside of the group
                value.append(error)
            finally:
                done.set()

        async def watch() -> None:
            while not done.is_set():
                if await request.is_disconnected():
                    gone.set()
                    return
                await sleep(0.1)

        async with create_task_group() as group:
            group.start_soon(watch)
            try:
                await self.aside(work)
            finally:
                gone.set()
                group.cancel_scope.cancel()
        if isinstance(value[0], Exception):
            raise value[0]
        return value[0]

    async def aside(self, work: Callable[[], T]) -> T:
        """Return ``work()``, which calls `run`, done in a thread apart from those of other routes."""
        if self._threads is None:
            self._threads = CapacityLimiter(self._size + _WAITING + 1)
        return await to_thread.run_sync(work, limiter=self._threads)

    def close(self) -> None:
        """End all children."""
        with self._free:
            self._closed = True
            for child in (*self._idle, *self._busy):
                child.end()
            self._idle.clear()

    def _take(self, gone: Event) -> _Child:
        with self._free:
            if len(self._busy) >= self._size and self._waiting >= _WAITING:
                raise TooMany(
                    "Too many wait for this already.", hint="Try again in a few seconds.", retry_after_s=5
                )
            self._waiting += 1
            try:
                while len(self._busy) >= self._size:
                    if gone.is_set():
                        raise Cancelled("Nobody waits for this any more.")
                    self._free.wait(0.1)
            finally:
                self._waiting -= 1
            if self._closed:
                raise CannotRun("The service stops.", hint="Try again later.")
            child = self._idle.pop() if self._idle else _Child()
            self._busy.add(child)
            return child

    def _give(self, child: _Child, keep: bool) -> None:
        with self._free:
            self._busy.discard(child)
            if keep and not self._closed:
                self._idle.append(child)
            else:
                child.end()
            self._free.notify()


class _Child:
    """A process that does tasks."""

    def __init__(self) -> None:
        # Spawned, not forked: this process has threads, whose locks a fork would copy as they are.
        context = get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), name="avatalk-helper", daemon=True)
        self._process.start()
        theirs.close()
        self.usable = True

    def do(
        self,
        task: str,
        arguments: dict[str, Any],
        timeout_s: float,
        memory_mb: float | None,
        gone: Event,
        on_step: OnStep | None,
    ) -> Any:
        until = time.monotonic() + timeout_s
        self.usable = False
        try:
            self._line.send((task, arguments))
            while True:
                if self._line.poll(_LOOK_EVERY_S):
                    kind, value = self._line.recv()
                    if kind == "step":
                        if on_step is not None:
                            on_step(value)
                        continue
                    self.usable = True
                    if kind == "error":
                        raise value
                    return value
                if gone.is_set():
                    raise Cancelled("Nobody waits for this any more.")
                if time.monotonic() > until:
                    raise TooLarge(
                        f"This took longer than {timeout_s:g} s and was stopped.",
                        hint="Give less at once, such as a shorter text, or submit a video.",
                    )
                if memory_mb is not None and _resident_mb(self._process.pid) > memory_mb:
                    raise TooLarge(
                        f"This took more than {memory_mb:g} MB of memory and was stopped.",
                        hint="Choose a smaller size, or a smaller picture or clip.",
                    )
        except (EOFError, OSError) as error:
            log.error("A helper ended in task %s", task)
            raise CannotRun(
                "The process that did this ended.", hint="Try again; if it happens again, report it."
            ) from error

    def end(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.join(5)


def _resident_mb(pid: int | None) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, IndexError):  # no such file on other systems
        return 0.0


def _work(line: Connection) -> None:
    """What a child does until the other end is closed."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    sys.stdin.close()
    while True:
        try:
            task, arguments = line.recv()
        except EOFError:
            return
        try:
            module, _, function = task.rpartition(":")
            work = getattr(import_module(module or "avatalk.service.tasks"), function)
            told = ("value", work(_teller(line), **arguments))
        except AvatalkError as error:
            error.__cause__ = error.__context__ = None  # what others raised may not be able to travel
            told = ("error", error)
        except Exception:
            log.exception("A fault in task %s", task)
            told = ("error", CannotRun("This is a fault of avatalk.", hint="Please report it."))
        try:
            line.send(told)
        except OSError:
            return


def _teller(line: Connection) -> OnStep:
    return lambda step: line.send(("step", step))
