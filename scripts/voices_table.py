"""Write the tables in docs/voices.md, and the previews beside it.

python scripts/voices_table.py [--only-text]
"""

from __future__ import annotations

import math
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import av

from avatalk import play_voice
from avatalk.speech.base import Voice
from avatalk.speech.espeak_voices import espeak_voices
from avatalk.speech.sample_checks import CHECKS

PAGE = Path(__file__).parent.parent / "docs" / "voices.md"
PREVIEWS = PAGE.parent / "voices"
BIT_RATE = 32_000


def languages() -> list[list[Voice]]:
    """The voices of each language."""
    return [list(voices) for _, voices in groupby(espeak_voices(), lambda voice: voice.language)]


def is_named(voice: Voice) -> bool:
    """Whether it has a name of its own, rather than that of its language."""
    return not voice.name.startswith(voice.language.lower())


def names(voices: list[Voice], sex: str) -> str:
    return ", ".join(voice.name for voice in voices if voice.sex == sex)


def voices_table() -> str:
    rows = ["| language | tag | women | men | engine | preview |", "| --- | --- | --- | --- | --- | --- |"]
    others = []
    for voices in languages():
        first = voices[0]
        if is_named(first):
            link = f"[{first.name}](voices/{first.name}.mp3)"
            row = (first.language_name, first.language, names(voices, "female"), names(voices, "male"))
            rows.append(f"| {' | '.join(row)} | {first.engine} | {link} |")
        else:
            others.append(f"{first.language_name} (`{first.name}`)")
    more = f"And by their tags, men; with `-f` behind it, women: {', '.join(others)}."
    return "\n".join([*rows, "", more])


def checks_table() -> str:
    rows = ["| measured | limit | beyond it |", "| --- | --- | --- |"]
    for check in CHECKS:
        limit = f"at most {check.most:g}" if math.isinf(check.least) else f"at least {check.least:g}"
        said = re.sub(r"\{value[^}]*\}", "…", check.message.replace("{file}", "the sample"))
        said = said[0].upper() + said[1:]
        told = "refused" if check.refused else "warned of"
        rows.append(f"| {check.name} | {limit} {check.unit} | {told}: {said} |")
    return "\n".join(rows)


def page(text: str) -> str:
    """`text` with its tables as they should be."""
    for name, table in (("checks", checks_table()), ("voices", voices_table())):
        parts = re.split(rf"(<!-- /?{name} -->)", text)
        text = "".join([*parts[:2], f"\n{table}\n", *parts[3:]])
    return text


def write_preview(voice: Voice) -> None:
    """Write two seconds of `voice` as a small MP3."""
    with tempfile.TemporaryDirectory() as folder:
        play_voice(voice.name, Path(folder) / "a.wav")
        with (
            av.open(str(Path(folder) / "a.wav")) as source,
            av.open(str(PREVIEWS / f"{voice.name}.mp3"), "w", options={"write_xing": "0"}) as out,
        ):
            stream = out.add_stream("libmp3lame", rate=22050, layout="mono", bit_rate=BIT_RATE)
            resampler = av.AudioResampler(stream.codec_context.format or "fltp", "mono", 22050)
            for frame in (*source.decode(audio=0), None):
                for part in resampler.resample(frame):
                    part.pts = None
                    out.mux(stream.encode(part))
            out.mux(stream.encode(None))


def main() -> None:
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    if "--only-text" in sys.argv:
        return
    PREVIEWS.mkdir(exist_ok=True)
    for file in PREVIEWS.glob("*.mp3"):
        file.unlink()
    for voices in languages():
        if is_named(voices[0]):
            write_preview(voices[0])
    total = sum(file.stat().st_size for file in PREVIEWS.glob("*.mp3"))
    print(f"{PAGE}, and {total / 1000:.0f} kB of previews in {PREVIEWS}")


if __name__ == "__main__":
    main()
