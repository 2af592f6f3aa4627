"""``avatalk models``: model files fetched, checked and removed."""

from __future__ import annotations

from typing import Annotated

import typer

from avatalk.commands import AsJson, show, told
from avatalk.errors import BadInput

models_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fetch, check and remove model files."
)


@models_app.command(name="list")
def models_list(as_json: AsJson = False) -> None:
    """List the models and whether they are here."""
    with told(as_json):
        from avatalk.catalogue import model_rows

        show(model_rows(), as_json)


@models_app.command()
def install(names: Annotated[list[str], typer.Argument(help="Names of `avatalk models list`.")]) -> None:
    """Fetch models ahead of their first use."""
    with told():
        from avatalk import models
        from avatalk.console import ProgressBar
        from avatalk.events import Monitor

        for name in names:
            with ProgressBar() as bar:
                folder = models.install(name, Monitor(bar.show))
            typer.echo(f"{name}: {folder}")


@models_app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="All installed ones by default.")] = None,
) -> None:
    """Check the files of models against their checksums."""
    with told():
        from avatalk import models

        bad = []
        for name in names or [model.name for model in models.list_models() if models.installed(model.name)]:
            faults = models.verify(name)
            typer.echo(f"{name}: {'; '.join(faults) if faults else 'good'}")
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
    """Delete the files of models."""
    with told():
        from avatalk import models

        for name in names:
            typer.echo(f"{name}: {'removed' if models.remove(name) else 'was not here'}")
