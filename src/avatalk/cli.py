"""The command line. It builds a `VideoRequest`, calls `render`, and prints what came of it.

Nothing heavy is imported before a command needs it: ``avatalk --help`` answers at once.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from avatalk._version import __version__
from avatalk.cli_models import models_app
from avatalk.commands import AsJson, complain, print_json, show, told
from avatalk.errors import BadInput

if TYPE_CHECKING:
    from avatalk.request import VideoRequest

app = typer.Typer(
    name="avatalk",
    help="A face and some words become a talking video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")


# --- what a request is made of ---------------------------------------------------------------------

Avatar = Annotated[
    str | None, typer.Option(help="A gallery name (`avatalk avatars`) or a picture.", show_default="ada")
]
Text = Annotated[str | None, typer.Option(help="What to say; - reads it from standard input.")]
Audio = Annotated[str | None, typer.Option(help="A recording to speak instead of a text.")]
Spec = Annotated[Path | None, typer.Option(help="A request as JSON, or a video made by avatalk.")]
Voice = Annotated[str | None, typer.Option(help="A voice of `avatalk voices`.", show_default="fits the text")]
Speed = Annotated[float | None, typer.Option(help="Rate of speech, 0.5 to 2.", show_default="1")]
Pitch = Annotated[float | None, typer.Option(help="Pitch of the voice, 0.5 to 2.", show_default="1")]
Size = Annotated[str | None, typer.Option(help="Width and height, such as 1280x720.")]
Aspect = Annotated[str | None, typer.Option(help="16:9, 9:16, 1:1 or source.", show_default="source")]
Fps = Annotated[
    str | None, typer.Option(help="Frames per second, such as 25 or 30000/1001.", show_default="25")
]
EngineName = Annotated[str | None, typer.Option("--engine", help="Lip-sync engine.", show_default="auto")]
FaceNumber = Annotated[int | None, typer.Option("--face", help="Which face, counted from the left.")]
Still = Annotated[bool | None, typer.Option("--still", help="Keep the head still.")]
CaptionFiles = Annotated[
    str | None, typer.Option("--captions", help="none, srt, vtt or both.", show_default="none")
]
Quality = Annotated[str | None, typer.Option(help="draft, standard or high.", show_default="standard")]
Seed = Annotated[int | None, typer.Option(help="Seed of blinks and head motion.", show_default="0")]


def _request(spec: Path | None, **given: Any) -> VideoRequest:
    """The request of the options; what is given on the command line wins over the spec."""
    from avatalk.request import VideoRequest
    from avatalk.spec import read_fields

    fields = read_fields(spec) if spec is not None else {}
    if given.get("text") == "-":
        given["text"] = sys.stdin.read()
    for one, other in (("text", "audio"), ("audio", "text")):
        if given.get(one) is not None and given.get(other) is None:
            fields.pop(other, None)
    fields.update({name: value for name, value in given.items() if value is not None})
    return VideoRequest(**fields)


# --- making things ---------------------------------------------------------------------------------


@app.command()
def make(
    output: Annotated[Path, typer.Option("--output", "-o", help="The video to write.")],
    avatar: Avatar = None,
    text: Text = None,
    audio: Audio = None,
    spec: Spec = None,
    voice: Voice = None,
    speed: Speed = None,
    pitch: Pitch = None,
    size: Size = None,
    aspect: Aspect = None,
    fps: Fps = None,
    engine: EngineName = None,
    face: FaceNumber = None,
    still: Still = None,
    captions: CaptionFiles = None,
    quality: Quality = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Make a video."""
    with told(as_json):
        from dataclasses import asdict

        request = _request(
            spec, avatar=avatar, text=text, audio=audio, voice=voice, speed=speed, pitch=pitch, size=size,
            aspect=aspect, fps=fps, engine=engine, face=face, still=still, captions=captions, quality=quality,
            seed=seed,
        )  # fmt: skip
        from avatalk.console import ProgressBar
        from avatalk.pipeline import render

        with ProgressBar() as bar:
            result = render(request, output, on_progress=bar.show)
        if as_json:
            print_json(asdict(result))
            return
        for warning in result.warnings:
            complain(f"Note: {warning}")
        spent = result.seconds["total"]
        shape = f"{result.width}x{result.height}, {result.fps} frames/s"
        typer.echo(f"{result.path}: {result.duration_s:.1f} s, {shape}, made in {spent:.1f} s")
        for path in result.captions:
            typer.echo(path)


@app.command()
def preview(
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write, PNG or JPEG.")],
    at: Annotated[float, typer.Option(help="Seconds into the video.")] = 0.0,
    avatar: Avatar = None,
    text: Text = None,
    audio: Audio = None,
    spec: Spec = None,
    voice: Voice = None,
    speed: Speed = None,
    pitch: Pitch = None,
    size: Size = None,
    aspect: Aspect = None,
    fps: Fps = None,
    engine: EngineName = None,
    face: FaceNumber = None,
    still: Still = None,
    quality: Quality = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> None:
    """Write one frame of the video as a picture."""
    with told(as_json):
        request = _request(
            spec, avatar=avatar, text=text, audio=audio, voice=voice, speed=speed, pitch=pitch, size=size,
            aspect=aspect, fps=fps, engine=engine, face=face, still=still, quality=quality, seed=seed,
        )  # fmt: skip
        from avatalk.console import ProgressBar
        from avatalk.pipeline import preview as draw
        from avatalk.video.picture import check_picture_path, write_picture

        check_picture_path(output)
        with ProgressBar() as bar:
            frame = draw(request, at, on_progress=bar.show)
        write_picture(output, frame)
        if as_json:
            print_json({"path": str(output), "at_s": at, "width": frame.shape[1], "height": frame.shape[0]})
        else:
            typer.echo(f"{output}: the frame at {at:g} s, {frame.shape[1]}x{frame.shape[0]}")


@app.command()
def schema() -> None:
    """Print the JSON schema of a request."""
    from avatalk.request import VideoRequest

    print_json(VideoRequest.model_json_schema())


# --- finding out what there is ---------------------------------------------------------------------


@app.command()
def avatars(as_json: AsJson = False) -> None:
    """List the gallery."""
    with told(as_json):
        from avatalk.catalogue import avatar_rows

        show(avatar_rows(), as_json)


@app.command()
def voices(
    language: Annotated[
        str | None, typer.Option(help="Only voices of this language, such as de or en-gb.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the voices."""
    with told(as_json):
        from avatalk.catalogue import voice_rows

        rows = voice_rows(language)
        if not rows:
            raise BadInput(
                f"There is no voice for the language {language}.", hint="All voices: `avatalk voices`."
            )
        show(rows, as_json, ("name", "language", "language_name", "sex", "engine"))


@app.command(name="engines")
def engines_(as_json: AsJson = False) -> None:
    """List the engines of every stage."""
    with told(as_json):
        from avatalk.catalogue import engine_rows

        show(engine_rows(), as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what can run here, on what, and how to get what is missing."""
    with told(as_json):
        from avatalk.catalogue import doctor_rows

        show(doctor_rows(), as_json)


# --- plumbing --------------------------------------------------------------------------------------


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"avatalk {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line."""
    handler: Callable[[int, FrameType | None], NoReturn] = _interrupt
    signal.signal(signal.SIGTERM, handler)  # so that a stopped service leaves nothing half-written either
    with told():
        app()


if __name__ == "__main__":
    main()
