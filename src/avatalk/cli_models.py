"""``avatalk models``: model files fetched, brought, checked and removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from avatalk.commands import AsJson, complain, show, told
from avatalk.errors import BadInput

models_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fetch, bring, check and remove model files."
)

Accept = Annotated[
    bool, typer.Option("--accept-license", help="Accept licences that forbid commercial use; asked once.")
]
_COLUMNS = ("name", "title", "stage", "engine", "mb", "installed", "licence", "commercial")


@models_app.command(name="list")
def models_list(as_json: AsJson = False) -> None:
    """List the models and whether they are here; --json also tells files, checksums and sources."""
    with told(as_json):
        from avatalk.catalogue import model_rows

        show(model_rows(), as_json, _COLUMNS)


@models_app.command()
def install(
    names: Annotated[list[str], typer.Argument(help="Names of `avatalk models list`.")],
    accept_license: Accept = False,
) -> None:
    """Fetch models ahead of their first use; what was broken off is gone on with."""
    with told():
        from avatalk import models
        from avatalk.console import ProgressBar
        from avatalk.events import Monitor

        for name in names:
            accepted = accept_license or _asked(name)
            with ProgressBar() as bar:
                monitor = Monitor(bar.show)
                folder = models.install(name, monitor, accepted)
            typer.echo(f"{name}: {folder}")
            for warning in monitor.warnings:
                complain(f"Note: {warning}")


@models_app.command(name="import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files from anywhere, under any name; folders and zips of models with several."),
    ],
    name: Annotated[
        str | None, typer.Option("--as", help="The model, where the content fits several.")
    ] = None,
    accept_license: Accept = False,
) -> None:
    """Find out what files are, by checksum or content, and put them where they belong."""
    with told():
        from avatalk import models
        from avatalk.console import ProgressBar
        from avatalk.events import Monitor

        for file in files:
            with ProgressBar() as bar:
                monitor = Monitor(bar.show)
                found = models.import_file(file, monitor, name=name, accept_licence=accept_license)
            typer.echo(f"{found.model}: {found.what}")
            if not found.published:
                complain(
                    f"Note: weights of unknown origin, taken as {found.model}; --as NAME chooses another."
                )
            if found.missing:
                complain(f"Note: {found.model} still lacks {', '.join(found.missing)}.")


@models_app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="All installed ones by default.")] = None,
) -> None:
    """Check the files of models against their checksums."""
    with told():
        from avatalk import models

        bad = []
        names = names or [model.name for model in models.list_models() if models.installed(model.name)]
        if not names:
            typer.echo("No model is installed.")
        for name in names:
            faults = models.verify(name)
            typer.echo(f"{name}: {'missing or damaged: ' + ', '.join(faults) if faults else 'good'}")
            bad += faults
        if bad:
            raise BadInput(
                "Some model files are not as they should be.",
                hint="Fetch them again: `avatalk models install NAME`.",
            )


@models_app.command(name="path")
def models_path(name: str) -> None:
    """Print the folder of a model."""
    with told():
        from avatalk import models

        typer.echo(str(models.folder(name)))


@models_app.command()
def remove(names: list[str]) -> None:
    """Delete the files of models, and what was made from them."""
    with told():
        from avatalk import models

        for name in names:
            typer.echo(f"{name}: {'removed' if models.remove(name) else 'was not here'}")


def _asked(name: str) -> bool:
    """Whether the user accepts the licence of the model now, where that is needed and can be asked."""
    from avatalk import models, settings

    if settings.commercial() or not models.needs_consent(name) or not sys.stdin.isatty():
        return False
    terms = models.told(name).terms
    if not models.needs_consent(name):
        return False
    complain(terms)
    return typer.confirm("Do you accept that?", err=True)
