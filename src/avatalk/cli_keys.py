"""`avatalk keys`: who may use the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from avatalk import settings
from avatalk.commands import AsJson, complain, print_json, show, told
from avatalk.errors import CannotRun, NotFound

if TYPE_CHECKING:
    from avatalk.service.keys import Key, Keys

keys_app = typer.Typer(no_args_is_help=True, help="Keys: who may use the service, and how much of it.")


@contextmanager
def _book() -> Iterator[Keys]:
    if find_spec("fastapi") is None or find_spec("dbos") is None:
        raise CannotRun("The service needs more packages.", hint="pip install 'avatalk[service]'")
    from avatalk.jobs.tables import Database
    from avatalk.service.keys import Keys

    db = Database(settings.database_url())
    try:
        yield Keys(db)
    finally:
        db.close()


@keys_app.command()
def create(
    name: Annotated[str, typer.Argument(help="What to call it, such as who uses it.")],
    scopes: Annotated[
        str, typer.Option(help="What it may do: videos, assets, speech, read, metrics.")
    ] = "videos,assets,speech,read",
    rate: Annotated[float | None, typer.Option(help="Most requests a second.")] = None,
    concurrent: Annotated[int | None, typer.Option(help="Most videos queued or made at once.")] = None,
    quota_s: Annotated[float | None, typer.Option(help="Most seconds of video in 24 hours.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    with told(as_json), _book() as book:
        wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        key, secret = book.create(name, scopes=wanted, rate=rate, concurrent=concurrent, quota_s=quota_s)
        signed = book.webhook_secret(key.id)
        if as_json:
            print_json({**_row(key), "key": secret, "webhook_secret": signed})
            return
        typer.echo(secret)
        complain(f"This is the key of {name}; it is not shown again. Send it as `Authorization: Bearer …`.")
        complain(f"Its webhooks are signed with {signed}")


@keys_app.command(name="list")
def list_(as_json: AsJson = False) -> None:
    """List all keys, without their secrets."""
    with told(as_json), _book() as book:
        show([_row(key) for key in book.all()], as_json)


@keys_app.command()
def revoke(name: Annotated[str, typer.Argument(help="Which one.")]) -> None:
    """Let a key be used no more; what was made with it stays until it expires."""
    with told(), _book() as book:
        complain(f"Revoked {book.revoke(name).name}. A running server may take it for 2 s more.")


@keys_app.command()
def webhook_secret(
    name: Annotated[str | None, typer.Argument(help="Of which key; none if there are no keys.")] = None,
) -> None:
    """Print what the webhooks of a key are signed with."""
    with told(), _book() as book:
        owners = [key.id for key in book.all() if key.name == name and key.revoked_at is None]
        if name is not None and not owners:
            raise NotFound(f"There is no key {name!r} in use.", hint="See `avatalk keys list`.", field="name")
        typer.echo(book.webhook_secret(owners[0] if owners else ""))


def _row(key: Key) -> dict[str, object]:
    return {
        "name": key.name,
        "id": key.id,
        "scopes": ",".join(sorted(key.scopes)),
        "rate": key.rate,
        "concurrent": key.concurrent,
        "quota_s": key.quota_s,
        "created": _day(key.created_at),
        "revoked": _day(key.revoked_at),
    }


def _day(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M")
