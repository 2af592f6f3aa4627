"""``avatalk voices`` lists the voices and lets them be heard; ``add``, ``show`` and ``remove`` your own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from avatalk.commands import AsJson, complain, print_json, show, told
from avatalk.errors import BadInput

voices_app = typer.Typer(rich_markup_mode=None, help="List the voices, hear one, keep your own.")

_COLUMNS = ("name", "language", "language_name", "sex", "engine", "licence")
Language = Annotated[str | None, typer.Option(help="Only voices of this language, such as de or en-gb.")]


@voices_app.callback(invoke_without_command=True)
def voices(
    context: typer.Context,
    language: Language = None,
    play: Annotated[str | None, typer.Option(help="Write what this voice sounds like, about 2 s.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to; NAME.wav by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the voices, hear one, keep your own."""
    if context.invoked_subcommand is not None:
        return
    with told(as_json):
        if play is not None:
            _play(play, output or Path(f"{play}.wav"), language, as_json)
            return
        if output is not None:
            raise BadInput("-o goes with --play.", hint="avatalk voices --play NAME -o file.wav")
        from avatalk.catalogue import voice_rows

        rows = voice_rows(language)
        if not rows:
            raise BadInput(
                f"There is no voice for the language {language}.", hint="All voices: `avatalk voices`."
            )
        brief = [row | {"licence": row["licence"].partition(" (")[0]} for row in rows]
        show(rows if as_json else brief, as_json, _COLUMNS)


def _play(name: str, output: Path, language: str | None, as_json: bool) -> None:
    from avatalk.console import ProgressBar
    from avatalk.voicebook import play_voice

    with ProgressBar() as bar:
        said = play_voice(name, output, language=language, on_progress=bar.show)
    if as_json:
        print_json(said.as_json())
        return
    for warning in said.warnings:
        complain(f"Note: {warning}")
    typer.echo(f"{said.path}: {said.duration_s:.1f} s of {name} ({said.engine})")


@voices_app.command()
def add(
    name: Annotated[str, typer.Argument(help="What --voice shall call it.")],
    sample: Annotated[Path, typer.Argument(help="3 s to 5 min of one person speaking, any format.")],
    language: Annotated[str, typer.Option(help="What it speaks if nothing else is asked for.")] = "en",
    consent: Annotated[str | None, typer.Option(help="The statement that the speaker agrees.")] = None,
    i_have_consent: Annotated[
        bool, typer.Option("--i-have-consent", help="The speaker agrees; asked once otherwise.")
    ] = False,
    who: Annotated[str, typer.Option(help="Who states that.", show_default="you, by login")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep the voice in a recording under a name."""
    with told(as_json):
        from avatalk.voicebook import STATEMENT, add_voice

        if consent is None and i_have_consent:
            consent = STATEMENT
        if consent is None and sys.stdin.isatty() and typer.confirm(f"{STATEMENT}\nIs that so?", err=True):
            consent = STATEMENT
        from avatalk.console import ProgressBar

        with ProgressBar() as bar:
            added = add_voice(
                name, sample, consent=consent or "", who=who, language=language, on_progress=bar.show
            )
        if as_json:
            from dataclasses import asdict

            print_json(asdict(added))
            return
        for warning in added.warnings:
            complain(f"Note: {warning}")
        _tell_better(added.better)
        typer.echo(f"{added.voice.name}: {_measured(added.voice)}")
        typer.echo(f"Hear it: avatalk voices --play {added.voice.name}")


@voices_app.command(name="show")
def show_(name: str, as_json: AsJson = False) -> None:
    """Show what is known of a voice."""
    with told(as_json):
        from avatalk.voicebook import about_voice

        facts = about_voice(name)
        if as_json:
            print_json(facts)
            return
        for fact, value in facts.items():
            if value in ("", (), []):
                continue
            typer.echo(f"{fact.replace('_', ' '):<14} {_plain(value)}")


@voices_app.command()
def remove(names: Annotated[list[str], typer.Argument(help="Of voices you kept.")]) -> None:
    """Remove voices you kept, with all that was learnt of them."""
    with told():
        from avatalk.voicebook import remove_voice

        for name in names:
            remove_voice(name)
            typer.echo(f"{name}: removed")


def _tell_better(better: list[str]) -> None:
    for idea in better:
        complain(f"Better: {idea}")


def _measured(voice: Any) -> str:
    traits = voice.traits
    return f"{traits.sex or 'a voice'}, {traits.pitch_hz:.0f} Hz, {traits.rate:.1f} syllables/s, kept"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_plain(part)}" for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
