"""The command line. It builds a `VideoRequest`, calls `render`, and prints what came of it.

Nothing heavy is imported before a command needs it: ``avatalk --help`` answers at once.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from avatalk._version import __version__
from avatalk.cli_avatars import avatar, avatars_app
from avatalk.cli_jobs import worker
from avatalk.cli_keys import keys_app
from avatalk.cli_models import models_app
from avatalk.cli_service import serve, show_settings
from avatalk.cli_studio import studio
from avatalk.cli_voices import voices_app
from avatalk.commands import AsJson, TakesText, complain, print_json, show, told
from avatalk.errors import BadInput, Cancelled

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
app.add_typer(avatars_app, name="avatars")
app.add_typer(voices_app, name="voices")
app.add_typer(keys_app, name="keys")
app.command()(avatar)
app.command()(worker)
app.command()(serve)
app.command()(studio)
app.command(name="settings")(show_settings)


# --- what a request is made of ---------------------------------------------------------------------


def _option(help: str, default: str = "", kind: Any = str, name: str = "") -> Any:  # noqa: A002
    """An option that is None unless it was given, so that what a spec says holds."""
    shown = default or False
    return Annotated[kind | None, typer.Option(*filter(None, [name]), help=help, show_default=shown)]


Output = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]
Spec = Annotated[Path | None, typer.Option(help="A request as JSON, or a video made by avatalk.")]
REQUEST_OPTIONS: dict[str, Any] = {
    "avatar": _option("A gallery name (`avatalk avatars`), a picture or a clip.", "ada"),
    "avatar_prompt": _option("Who the avatar is, in words, instead of --avatar."),
    "avatar_engine": _option("What makes an avatar from words: drawn or diffusion.", "auto"),
    "text": _option("What to say; - reads it from standard input."),
    "file": _option("A text file with what to say."),
    "audio": _option("A recording to speak instead of a text."),
    "corrections": _option(
        'Sentences of the text that are said otherwise, as JSON: [{"sentence": 2, "text": "So it is."}].'
    ),
    "transcript": _option("A file with the words of the recording: text, SRT or WebVTT."),
    "voice": _option("A voice of `avatalk voices`.", "fits the text"),
    "voice_sample": _option("A recording, 3 s to 5 min, whose voice is cloned."),
    "language": _option("Language of the words, such as de or pt-BR.", "the likely one"),
    "speed": _option("Rate of speech, 0.5 to 2.", "1", float),
    "pitch": _option("Pitch of the voice, 0.5 to 2.", "1", float),
    "size": _option("Width and height, such as 1280x720."),
    "aspect": _option("16:9, 9:16, 1:1 or source.", "source"),
    "fps": _option("Frames per second, such as 25 or 30000/1001.", "25, or the clip's own"),
    "engine": _option("Lip-sync engine.", "auto"),
    "face": _option("Which face, counted from the left.", "", int),
    "still": _option("Keep the head still.", "", bool, "--still"),
    "loop": _option("What a clip shorter than the speech does: loop, bounce or hold.", "loop"),
    "static": _option("Use only the first frame of a clip.", "", bool, "--static"),
    "faces": _option("Face detector: mediapipe or s3fd.", "auto"),
    "strict_faces": _option("Fail if a frame of a clip has no face.", "", bool, "--strict-faces"),
    "box": _option("Where the face is: left top right bottom, pixels (wav2lip)."),
    "pads": _option("Pixels around the face: top bottom left right (wav2lip).", "0 10 0 0"),
    "smooth": _option("Steady the face's box in time (wav2lip).", "smooth", bool, "--smooth/--no-smooth"),
    "paste": _option("soft, or original: the whole box, as Wav2Lip did.", "soft"),
    "resize_factor": _option("Divide the size of the picture by this.", "1", int),
    "rotate": _option("Turn the picture by 90 degrees, clockwise.", "", bool, "--rotate"),
    "crop": _option("Part of the picture: top bottom left right; -1 is the end."),
    "device": _option("Where networks run: auto, cpu, cuda or mps.", "auto"),
    "background": _option("keep, a colour, blur, gradient:#a,#b, transparent, or a picture or clip.", "keep"),
    "fit": _option("How a background file fills the canvas: cover or contain.", "cover"),
    "matting": _option("What cuts the person out: selfie or deeplab.", "auto"),
    "frame": _option("How much of the person is shown: source, bust or head.", "source"),
    "overlay": _option("A picture laid over the video, such as logo.png:top-right:12%."),
    "captions": _option("srt or vtt beside the video, burn in it, soft as a track: srt,burn.", "none"),
    "quality": _option("draft, standard or high.", "standard"),
    "seed": _option("Seed of blinks and head motion.", "0", int),
}


SPEECH_OPTIONS = ("file", "voice", "voice_sample", "language", "speed", "pitch")
"""Those of them that say how a text is spoken."""


def takes_request(
    command: Callable[..., None], names: Iterable[str] = REQUEST_OPTIONS
) -> Callable[..., None]:
    """Give `command` the options of a request besides its own; it gets them as the argument `given`."""
    own = [value for name, value in signature(command, eval_str=True).parameters.items() if name != "given"]

    @wraps(command)
    def run(**arguments: Any) -> None:
        given = {name: arguments.pop(name) for name in names}
        command(given=given, **arguments)

    options = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=REQUEST_OPTIONS[name])
        for name in names
    ]
    parameters = [value.replace(kind=Parameter.KEYWORD_ONLY) for value in own] + options
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _request(spec: Path | None, given: dict[str, Any]) -> VideoRequest:
    """The request of the options; what is given on the command line wins over the spec."""
    from avatalk.request import VideoRequest
    from avatalk.spec import read_fields

    _read_text(given)
    fields = read_fields(spec, given_too={name for name in given if given[name] is not None}) if spec else {}
    for one, other in (("text", "audio"), ("voice", "voice_sample"), ("avatar", "avatar_prompt")):
        for given_one, other_one in ((one, other), (other, one)):
            if given.get(given_one) is not None and given.get(other_one) is None:
                fields.pop(other_one, None)
    if "audio" not in fields or given.get("audio") is not None:  # it belongs to a recording
        fields.pop("transcript", None)
    if given.get("text") is not None or given.get("audio") is not None:  # they belong to the text before
        fields.pop("corrections", None)
    fields.update({name: value for name, value in given.items() if value is not None})
    return VideoRequest(**fields)


def _begin(given: dict[str, Any]) -> None:
    """Begin what takes long, while the rest is being imported; with a spec, once that is read."""
    if given["engine"] is not None and given["avatar"] is not None:
        from avatalk import engines

        engines.begin_lips(given["engine"], given["avatar"], given["device"] or "auto")


def _read_text(given: dict[str, Any]) -> None:
    """Put the text of files and of standard input where they are named."""
    from avatalk.spec import read_text, read_transcript

    file = given.pop("file")
    if file is not None and given.get("text") is not None:
        raise BadInput("Both a text and a file with text are given.", hint="Give one of them.", field="file")
    if file is not None:
        given["text"] = read_text(Path(file))
    if given.get("transcript") is not None:
        given["transcript"] = read_transcript(Path(given["transcript"]))
    if file is None and given.get("text") == "-":
        given["text"] = sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape")


# --- making things ---------------------------------------------------------------------------------


@app.command()
@takes_request
def make(
    given: dict[str, Any],
    output: Output,
    spec: Spec = None,
    server: Annotated[
        str | None, typer.Option(help="URL of an `avatalk serve` that makes it, instead of this machine.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a video."""
    with told(as_json):
        from dataclasses import asdict

        if server is None:
            _begin(given)
        request = _request(spec, given)
        from avatalk.console import ProgressBar

        with ProgressBar() as bar:
            if server is not None:
                from avatalk import Client

                with Client(server) as client:
                    result = client.make(request, output, on_progress=bar.show)
            else:
                from avatalk.pipeline import render

                result = render(request, output, on_progress=bar.show, cancel=_STOP)
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
@takes_request
def preview(
    given: dict[str, Any],
    output: Output,
    at: Annotated[float, typer.Option(help="Seconds into the video.")] = 0.0,
    spec: Spec = None,
    as_json: AsJson = False,
) -> None:
    """Write one frame of the video as a picture, PNG, JPEG or WebP."""
    with told(as_json):
        _begin(given)
        request = _request(spec, given)
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


def _takes_speech(command: Callable[..., None]) -> Callable[..., None]:
    return takes_request(command, SPEECH_OPTIONS)


@app.command(cls=TakesText)
@_takes_speech
def say(
    given: dict[str, Any],
    output: Output,
    text: Annotated[str | None, typer.Argument(help="What to say; - reads it from standard input.")] = None,
    as_json: AsJson = False,
) -> None:
    """Speak a text into a sound file: wav, flac, mp3, m4a, ogg or opus."""
    with told(as_json):
        given["text"] = text
        _read_text(given)
        if given["text"] is None:
            raise BadInput(
                "There is nothing to say.", hint="Give a text, or --file script.txt.", field="text"
            )
        from avatalk.console import ProgressBar
        from avatalk.voiceover import say as speak

        how = {name: value for name, value in given.items() if value is not None and name != "text"}
        with ProgressBar() as bar:
            said = speak(given["text"], output, on_progress=bar.show, cancel=_STOP, **how)
        if as_json:
            print_json(said.as_json())
            return
        for warning in said.warnings:
            complain(f"Note: {warning}")
        voice, spent = f"{said.voice} ({said.engine})", said.seconds["total"]
        typer.echo(f"{said.path}: {said.duration_s:.1f} s, {voice}, made in {spent:.1f} s")


@app.command()
def schema() -> None:
    """Print the JSON schema of a request."""
    from avatalk.request import VideoRequest

    print_json(VideoRequest.model_json_schema())


# --- finding out what there is ---------------------------------------------------------------------


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


_STOP = Event()


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    # The event as well: an exception that is raised while a C library calls back is lost.
    _STOP.set()
    raise Cancelled("Stopped.", hint="Nothing was written.")


def main() -> None:
    """Run the command line."""
    # OpenBLAS would give small products to threads, which then wait busily for the next: a tenth of a video's
    # processor time. It reads this when NumPy is imported, which nothing has done yet.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(100_000, 50, 50)  # modules are no garbage: looking through them at a start finds nothing
    handler: Callable[[int, FrameType | None], NoReturn] = _interrupt
    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGTERM, handler)  # so that a stopped service leaves nothing half-written either
    try:
        with told():
            app()
    finally:
        gc.freeze()  # Python looks through everything once more before it ends: 0.2 s


if __name__ == "__main__":
    main()
