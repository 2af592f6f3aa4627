"""Speed and memory, as a user would meet them: whole processes, start-up included.

    python scripts/bench.py              the table of the README
    python scripts/bench.py --long       also 100 s and 1000 s, and memory of 30 s against 30 minutes

Every row is a fresh process; of `--repeat` runs the median counts. The photograph is a portrait the
project draws itself, so that the bench runs anywhere; `--photo FILE` takes a real one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np

SENTENCE = "The quick brown fox jumps over the lazy dog while my mother bakes fresh apple pies. "


def run(command: list[str]) -> dict[str, object]:
    """Run a process; return its wall and processor seconds, its peak memory and what it printed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = process.stdout.read()
    complaint = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(command)}\n{complaint}")
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "mb": usage.ru_maxrss / 1024,
        "out": printed,
    }


def speech(folder: Path, seconds: float) -> Path:
    """A recording of exactly `seconds`, spoken by the embedded voice."""
    from avatalk.events import Monitor
    from avatalk.speech.synthesis import speak

    path = folder / f"speech_{seconds:g}.wav"
    text = SENTENCE * max(1, round(seconds / 5))
    made = speak(text, None, 1.0, 1.0, folder, Monitor())
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        left = round(seconds * 48000)
        while left > 0:
            for block in made.audio.blocks(48000):
                part = block[:left, 0]
                file.writeframes((part * 32767).astype("<i2").tobytes())
                left -= len(part)
    return path


def portrait(folder: Path) -> Path:
    """A picture with a face: a gallery avatar's still, seen as a photograph."""
    from PIL import Image

    from avatalk.avatars import gallery

    path = folder / "portrait.png"
    Image.fromarray(np.asarray(gallery.get("ada").picture(1280, 720))).save(path)
    return path


def measure(name: str, arguments: list[str], seconds: float, repeat: int, output: Path) -> dict[str, object]:
    """One row of the table."""
    command = [sys.executable, "-m", "avatalk.cli", *arguments, "-o", str(output), "--json"]
    runs = [run(command) for _ in range(repeat)]
    told = json.loads(str(runs[-1]["out"]))
    row: dict[str, object] = {
        "what": name,
        "wall_s": round(statistics.median(float(str(r["wall"])) for r in runs), 2),
        "cpu_s": round(statistics.median(float(str(r["cpu"])) for r in runs), 2),
        "peak_mb": round(max(float(str(r["mb"])) for r in runs)),
    }
    if seconds:
        row["times_real_time"] = round(seconds / float(str(row["wall_s"])), 2)
        spent = {stage: seconds for stage, seconds in told["seconds"].items() if stage != "total"}
        busy = sum(spent.values())
        row["shares"] = ", ".join(f"{stage} {seconds / busy:.0%}" for stage, seconds in spent.items())
    return row


def table(rows: list[dict[str, object]]) -> None:
    """Print the rows as a Markdown table."""
    columns = ["what", "wall_s", "cpu_s", "times_real_time", "peak_mb", "shares"]
    print("| " + " | ".join(column.replace("_", " ") for column in columns) + " |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(row.get(column, "")) for column in columns) + " |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = options.photo or portrait(folder)
        output, repeat = folder / "out.mp4", options.repeat
        ten = speech(folder, 10)
        shape = ["--size", "1280x720", "--fps", "25"]
        drawn = ["make", "--avatar", "ada", *shape]
        warped = ["make", "--avatar", str(photo), *shape]
        text = ["--text", SENTENCE * 2]
        rows = [
            measure(
                "gallery avatar, 10 s recording, 720p", [*drawn, "--audio", str(ten)], 10, repeat, output
            ),
            measure("gallery avatar, 10 s of text, 720p", [*drawn, *text], 10, repeat, output),
            measure("photograph, 10 s recording, 720p", [*warped, "--audio", str(ten)], 10, repeat, output),
            measure(
                "preview of one frame, photograph",
                ["preview", "--avatar", str(photo), "--audio", str(ten), "--at", "3.2"],
                0,
                repeat,
                folder / "frame.png",
            ),
        ]
        if options.long:
            for seconds in (30, 100, 1000, 1800):
                sound = speech(folder, seconds)
                label = f"photograph, {seconds} s recording, 720p"
                rows.append(measure(label, [*warped, "--audio", str(sound)], seconds, 1, output))
        table(rows)


if __name__ == "__main__":
    main()
