"""What the command line shows people: progress on stderr, tables on stdout."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from avatalk import events

_TITLES = {
    "avatar": "Opening the avatar",
    "speech": "Preparing the speech",
    "face": "Finding the face",
    "lipsync": "Planning the lips",
    "compose": "Placing the picture",
    "encode": "Drawing and encoding",
}
_PLAIN_EVERY_S = 2.0


class ProgressBar:
    """Shows `events.Progress`: a live bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._bar = _Bar() if sys.stderr is not None and sys.stderr.isatty() else None
        self._stage, self._last, self._finished = "", 0.0, False

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, progress: events.Progress) -> None:
        """Show one step; steps that follow too fast on each other are left out."""
        now, new_stage = time.monotonic(), progress.stage != self._stage
        every = _PLAIN_EVERY_S if self._bar is None else 0.05
        finished = bool(progress.total) and progress.done >= progress.total
        if not new_stage and (self._finished or (not finished and now - self._last < every)):
            return
        self._stage, self._last, self._finished = progress.stage, now, finished
        title = progress.message or _TITLES.get(progress.stage, progress.stage)
        count = _count(progress)
        eta = "" if progress.eta_s is None or finished else f"ETA {_clock(progress.eta_s)}"
        if self._bar is not None:
            self._bar.show(progress, title, count, eta)
        elif count or new_stage:
            sys.stderr.write(" ".join(part for part in (title, count, eta) if part) + "\n")
            sys.stderr.flush()


class _Bar:
    """A live bar."""

    def __init__(self) -> None:
        # Imported here: it takes as long as to find a face, and nobody needs it where there is no terminal.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._live = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[eta]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._live.add_task("Starting", total=None, count="", eta="")
        self._live.start()

    def show(self, progress: events.Progress, title: str, count: str, eta: str) -> None:
        self._live.update(
            self._task,
            description=title,
            total=progress.total or None,
            completed=progress.done,
            count=count,
            eta=eta,
        )

    def stop(self) -> None:
        self._live.stop()


def _count(progress: events.Progress) -> str:
    if not progress.total or progress.unit == "":
        return ""
    if progress.unit == "bytes":
        return f"{progress.done / 1e6:.1f}/{progress.total / 1e6:.1f} MB"
    return f"{progress.done:.0f}/{progress.total:.0f} {progress.unit}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def print_table(rows: list[dict[str, Any]], columns: tuple[str, ...] = ()) -> None:
    """Print rows with the same keys as a table on stdout; all of their `columns` by default."""
    if not rows:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns or rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        # As text: what stands in brackets is not markup, such as the extra in pip install 'avatalk[neural]'.
        table.add_row(*(Text(_cell(row[name])) for name in columns or row))
    console = Console()
    if not console.is_terminal:
        console.width = 200  # for pipes and files: one line per row
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)
