"""``avatalk avatar`` makes an avatar from words; ``avatalk avatars`` lists all, and those that were kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatalk.commands import AsJson, complain, print_json, show, told
from avatalk.errors import BadInput

avatars_app = typer.Typer(rich_markup_mode=None, help="List the gallery and the avatars you kept.")


def avatar(
    prompt: Annotated[str, typer.Argument(help="Who it is, in words: sex, age, hair, clothes, mood …")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The PNG to write.")] = None,
    save: Annotated[str | None, typer.Option(help="Keep it under this name, for --avatar.")] = None,
    engine: Annotated[str, typer.Option(help="drawn, diffusion or auto.")] = "auto",
    count: Annotated[int, typer.Option(min=1, max=100, help="How many, each with the next seed.")] = 1,
    steps: Annotated[int, typer.Option(min=1, max=200, help="Of a diffusion.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another person of that description.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make an avatar from words."""
    with told(as_json):
        paths = _outputs(output, save, count)
        from avatalk.avatars import kept
        from avatalk.avatars.made import better, make_avatar, write_made
        from avatalk.console import ProgressBar
        from avatalk.events import Monitor
        from avatalk.workspace import check_writable

        for path in paths:
            check_writable(path)
        names = _names(save, count)
        for name in names:
            kept.check_name(name)
        rows = []
        for index in range(count):
            with ProgressBar() as bar:
                monitor = Monitor(bar.show)
                made = make_avatar(prompt, engine=engine, seed=seed + index, steps=steps, monitor=monitor)
            written = []
            if paths:
                write_made(paths[index], made)
                written.append(str(paths[index]))
            if names:
                written.append(str(kept.keep(names[index], made)))
            ideas = better(made.engine) if engine == "auto" else []
            rows.append(
                {
                    "paths": written,
                    "engine": made.engine,
                    "seed": made.seed,
                    "warnings": monitor.warnings,
                    "better": ideas,
                }
            )
            if not as_json:
                for warning in monitor.warnings:
                    complain(f"Note: {warning}")
                typer.echo(f"{written[0]}: made by {made.engine}, seed {made.seed}")
        if as_json:
            print_json(rows)
            return
        for idea in ideas:
            complain(f"Better: {idea}")
        if names:
            typer.echo(f"Use it: avatalk make --avatar {names[0]} --text Hello. -o hello.mp4")


def _names(save: str | None, count: int) -> list[str]:
    """The names to keep them under: one, or numbered ones."""
    if save is None:
        return []
    return [save] if count == 1 else [f"{save}-{index + 1}" for index in range(count)]


def _outputs(output: Path | None, save: str | None, count: int) -> list[Path]:
    """The files to write: one, or numbered ones."""
    if output is None:
        if save is None:
            raise BadInput(
                "Nothing says where the avatar goes.", hint="Give a file with -o, or a name with --save."
            )
        return []
    if output.suffix.lower() != ".png":
        raise BadInput(
            f"{output.name} does not end in .png.",
            hint="Avatars are written as PNG, which carries the rig of a drawn one.",
            field="output",
        )
    if count == 1:
        return [output]
    return [output.with_name(f"{output.stem}-{index + 1}{output.suffix}") for index in range(count)]


@avatars_app.callback(invoke_without_command=True)
def avatars(context: typer.Context, as_json: AsJson = False) -> None:
    """List the gallery and the avatars you kept."""
    if context.invoked_subcommand is not None:
        return
    with told(as_json):
        from avatalk.catalogue import avatar_rows

        show(avatar_rows(), as_json, ("name", "age", "description", "engine", "licence"))


@avatars_app.command()
def remove(names: Annotated[list[str], typer.Argument(help="Of avatars you kept.")]) -> None:
    """Remove avatars you kept."""
    with told():
        from avatalk.avatars import kept

        for name in names:
            kept.remove(name)
            typer.echo(f"{name}: removed")
