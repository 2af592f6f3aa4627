"""What every command shares: lists as tables or JSON, errors as one message and an exit code."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from avatalk.errors import AvatalkError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class TakesText(TyperCommand):
    """A command whose argument is a text: one that begins with a negative number is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; what is wrong with them is told with the remedy."""
        for index, text in enumerate(args):
            follows_option = index > 0 and args[index - 1].startswith("-") and args[index - 1] != "--json"
            if re.match(r"-\d", text) and not follows_option and "--" not in args:
                args = [*args[:index], *args[index + 1 :], "--", text]
                break
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # typer's own, whose class moved between its versions
            if "unexpected extra argument" in str(getattr(error, "message", "")):
                error.message += ' A text of several words stands in quotes: avatalk say "Good morning".'  # type: ignore[attr-defined]
            raise


class told:  # noqa: N801 - used like a function
    """Turn errors into one message, a hint and an exit code."""

    def __init__(self, as_json: bool = False) -> None:
        self._as_json = as_json

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AvatalkError):
            _fail(error, self._as_json)


def _fail(error: AvatalkError, as_json: bool) -> NoReturn:
    if as_json:
        told = {"code": error.code, "message": error.message, "hint": error.hint, "field": error.field}
        print_json({"error": told | {"stage": error.stage, "retryable": error.retryable}})
    complain(f"Error: {error.message}")
    if error.hint:
        complain(f"  {error.hint}")
    raise SystemExit(error.exit_code)


def complain(line: str) -> None:
    """Print a line on stderr."""
    typer.echo(line, err=True)


def print_json(value: object) -> None:
    """Print an object on one line, a list with a line for each of its parts."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=None if isinstance(value, dict) else 1))


def show(rows: list[dict[str, Any]], as_json: bool, columns: tuple[str, ...] = ()) -> None:
    """Print rows as JSON, or as a table of `columns` (all of them by default)."""
    if as_json:
        print_json(rows)
        return
    from avatalk.console import print_table

    print_table(rows, columns)
