"""The models tab: what is installed, what each model would add, and installing it with one click."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, UploadFile
from pydantic import BaseModel
from starlette.requests import Request as AnyRequest

from avatalk import catalogue, engines, models
from avatalk.errors import AvatalkError, Cancelled, NotAllowed
from avatalk.service.answers import problem_of
from avatalk.service.context import Caller, Reader
from avatalk.service.helpers import Helpers
from avatalk.studio import tasks
from avatalk.workspace import temporary_folder

router = APIRouter(prefix="/studio/models", include_in_schema=False)

_LONGEST_S = 24 * 3600.0


class Wish(BaseModel):
    """How a model is to be installed."""

    accept_licence: bool = False


class Installs:
    """What is being installed, one child process each."""

    def __init__(self) -> None:
        self._helpers = Helpers(2, None, warm=False)
        self._lock = Lock()
        self._gone: dict[str, Event] = {}
        self._told: dict[str, dict[str, Any]] = {}

    def told(self, name: str) -> dict[str, Any] | None:
        """How far a model is: ``running``, ``share`` 0..1 or None, ``problem``; None before it was tried."""
        return self._told.get(name)

    def begin(self, name: str, accept_licence: bool) -> None:
        """Install a model in the background."""
        with self._lock:
            if (self._told.get(name) or {}).get("running"):
                return
            self._gone[name] = Event()
            self._told[name] = {"running": True, "share": None, "problem": None}
        Thread(target=self._work, args=(name, accept_licence), daemon=True, name=f"install-{name}").start()

    def cancel(self, name: str) -> None:
        """Stop installing a model; what was fetched is gone on with the next time."""
        if name in self._gone:
            self._gone[name].set()

    def _work(self, name: str, accept_licence: bool) -> None:
        problem: dict[str, Any] | None = None
        try:
            self._helpers.run(
                "avatalk.studio.tasks:install",
                timeout_s=_LONGEST_S,
                gone=self._gone[name],
                on_step=lambda step: self._told[name].update(step),
                name=name,
                accept_licence=accept_licence,
            )
        except Cancelled:
            pass
        except AvatalkError as error:
            problem = problem_of(error).model_dump()
        self._told[name] = {"running": False, "share": None, "problem": problem}

    def bring(self, path: str, accept_licence: bool) -> dict[str, Any]:
        """Import a file of the user's, see `avatalk.studio.tasks.bring`."""
        found: dict[str, Any] = self._helpers.run(
            "avatalk.studio.tasks:bring", timeout_s=_LONGEST_S, path=path, accept_licence=accept_licence
        )
        return found


def _installs(request: AnyRequest) -> Installs:
    state = request.app.state
    if not hasattr(state, "installs"):
        state.installs = Installs()
    found: Installs = state.installs
    return found


def _check(caller: Caller) -> None:
    if not caller.at_home and "admin" not in caller.scopes:
        raise NotAllowed("This key may not change models.", hint="It takes the scope admin.", field="scopes")


@router.get("")
def listed(request: Request, caller: Reader) -> dict[str, Any]:  # noqa: ARG001 - whose key it is does not matter
    """All models, what each would add, and how far those are that are being installed."""
    by_name = {engine.name: engine for engine in engines.ENGINES}
    installs = _installs(request)
    rows = []
    for row in catalogue.model_rows():
        engine = by_name.get(row["engine"])
        kept = {
            name: row[name]
            for name in ("name", "title", "stage", "mb", "installed", "licence", "commercial", "accepted")
        }
        lacks = engine.missing() if engine else ()
        rows.append(
            kept
            | {
                "adds": f"{engine.summary[:1].upper()}{engine.summary[1:]}." if engine else "",
                "needs": f"pip install 'avatalk[{engine.extra}]'" if engine and lacks else "",
                "state": installs.told(row["name"]),
            }
        )
    return {"data": rows}


@router.post("/{name:path}/install", status_code=202)
def install(request: Request, caller: Reader, name: str, wish: Wish) -> None:
    """Begin to install a model."""
    _check(caller)
    models.folder(name)  # raises for an unknown one
    _installs(request).begin(name, wish.accept_licence)


@router.post("/{name:path}/cancel", status_code=202)
def cancel(request: Request, caller: Reader, name: str) -> None:
    """Stop installing a model."""
    _check(caller)
    _installs(request).cancel(name)


@router.post("")
async def bring(
    request: Request, caller: Reader, file: UploadFile, accept_licence: bool = False
) -> dict[str, Any]:
    """Import a file of weights."""
    _check(caller)
    with temporary_folder() as folder:
        path = Path(folder) / tasks.UPLOADED
        with path.open("wb") as out:
            await to_thread.run_sync(shutil.copyfileobj, file.file, out)
        with suppress(OSError):
            file.file.close()
        return await to_thread.run_sync(_installs(request).bring, str(path), accept_licence)
