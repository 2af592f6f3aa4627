"""Speed and memory, as a user would meet them: whole processes, start-up included.

    python scripts/bench.py              the table of the README
    python scripts/bench.py --long       also 30 s to 30 minutes: cost must be linear, memory flat
    python scripts/bench.py --neural     also Wav2Lip and S3FD, with weights filled from the names of their
                                         tensors, which cost the same as real ones
    python scripts/bench.py --diffusion  only one painted picture of 20 steps, by networks of the real size
                                         with random weights (needs 7 GB of disk)
    python scripts/bench.py --matting    only cutting persons out
    python scripts/bench.py --speech     only engines that speak; Piper with random weights of medium size

Every row is a fresh process; of `--repeat` runs the median counts. The photograph is a portrait the
project draws itself, so that the bench runs anywhere; `--photo FILE` takes a real one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avatalk.events import Monitor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatalk.models.graphs import Edges

    Shape = tuple[int, int, int, int]

# The original Wav2Lip, 10 s of speech: the best of three runs on a still, and S3FD's 2.9 s a frame of a clip.
ORIGINAL_S = {"Wav2Lip, photograph, 10 s": 18.8, "Wav2Lip, 720p clip, 10 s, S3FD faces": 730.0}
ORIGINAL_GFLOPS = 820
SENTENCE = "The quick brown fox jumps over the lazy dog while my mother bakes fresh apple pies. "


def run(command: list[str], text: str = "") -> dict[str, object]:
    """Run a process on `text`; return its wall and processor seconds, its peak memory and what it printed."""
    began = time.perf_counter()
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(text)
    process.stdin.close()
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


def clip(folder: Path, seconds: float) -> Path:
    """A 720p clip of a portrait that sways."""
    import av

    path = folder / "clip.mp4"
    from avatalk.avatars import gallery

    still = gallery.get("ada").picture(1280, 720)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for index in range(round(seconds * 25)):
            moved = np.roll(still, round(12 * np.sin(index / 9)), axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def fill_weights(folder: Path) -> None:
    """Put weights of Wav2Lip and S3FD into a cache folder of their own, and use it from here on."""
    import torch

    from avatalk import models

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from filled import state_dict

    there = [models.install(name) for name in ("face", "selfie")]
    os.environ["AVATALK_CACHE"] = str(folder / "cache")
    for model in there:
        shutil.copytree(model, models.folder(model.name))
    for network, name in (("wav2lip", "wav2lip_gan.pth"), ("s3fd", "s3fd.pth")):
        torch.save(state_dict(network), folder / name)
        models.import_file(folder / name, accept_licence=True)


def peak_gflops() -> float:
    """What the processor multiplies in bfloat16, 10^9 operations a second: the limit of a network."""
    import torch

    a = torch.randn(2048, 2048).bfloat16()
    spent = []
    for _ in range(12):
        began = time.perf_counter()
        a @ a
        spent.append(time.perf_counter() - began)
    return 2 * 2048**3 / min(spent) / 1e9


class Counted:
    """An `avatalk.models.graphs.Ops` over shapes, which counts what multiplying and adding there is."""

    def __init__(self, kernels: Mapping[str, NDArray[np.float32]]) -> None:
        self.kernels, self.operations = kernels, 0

    def convolution(self, x: Shape, name: str, stride: tuple[int, int], zeros: Edges) -> Shape:
        """See `Ops.convolution`."""
        outputs, inputs, down, across = self.kernels[f"{name}.weight"].shape
        rows = (x[2] + zeros.top + zeros.bottom - down) // stride[0] + 1
        columns = (x[3] + zeros.left + zeros.right - across) // stride[1] + 1
        self.operations += 2 * outputs * inputs * down * across * x[0] * rows * columns
        return x[0], outputs, rows, columns

    def widening(self, x: Shape, name: str, stride: int, cut: Edges) -> Shape:
        """See `Ops.widening`."""
        inputs, outputs, down, across = self.kernels[f"{name}.weight"].shape
        self.operations += 2 * outputs * inputs * down * across * x[0] * x[2] * x[3]
        rows, columns = (length * 2 if stride == 2 else length + 2 for length in x[2:])
        return self.cut((x[0], outputs, rows, columns), cut)

    def cut(self, x: Shape, cut: Edges) -> Shape:
        """See `Ops.cut`."""
        return x[0], x[1], x[2] - cut.top - cut.bottom, x[3] - cut.left - cut.right

    def add(self, x: Shape, y: Shape) -> Shape:  # noqa: ARG002 - of the same shape
        """See `Ops.add`."""
        return x

    def relu(self, x: Shape) -> Shape:
        """See `Ops.relu`."""
        return x

    sigmoid = relu


def network_gflops(photo: Path, audio: Path) -> tuple[float, float]:
    """What a frame of a still costs Wav2Lip's network, 10^9 operations, and how many it does in a second."""
    from avatalk import VideoRequest, models, plan
    from avatalk.lipsync import wav2lip_parts as parts
    from avatalk.lipsync.wav2lip_networks import BATCH, convert
    from avatalk.models.graphs import map_kernels

    with plan(VideoRequest(avatar=str(photo), audio=str(audio), engine="wav2lip-gan")) as made:
        networks = made._animation.networks  # type: ignore[attr-defined]
    mel = np.zeros((BATCH, 1, 80, 16), np.float32)
    maps = networks.face(np.zeros((1, 6, 96, 96), np.float32))
    spent = []
    with ThreadPoolExecutor(networks.lips.parallel) as pool:
        for _ in range(5):
            began = time.perf_counter()
            list(pool.map(lambda _: networks.answers(mel, maps), range(16)))
            spent.append(time.perf_counter() - began)
    checkpoint = models.path("wav2lip-gan", models.MODELS["wav2lip-gan"].files[0].name)
    ops = Counted(map_kernels(convert(checkpoint, Monitor())))
    shapes = parts.face_maps(ops, (1, 6, 96, 96), networks.window)
    ops.operations = 0
    parts.lips(ops, (1, *mel.shape[1:]), *shapes, window=networks.window)
    cost = ops.operations / 1e9
    return cost, cost * 16 * BATCH / min(spent)


def tell_network(photo: Path, audio: Path, rows: list[dict[str, object]]) -> None:
    """Print how far Wav2Lip is from the processor's limit, and from the original."""
    cost, rate = network_gflops(photo, audio)
    limit = max(peak_gflops() for _ in range(3))
    print(
        f"\nWav2Lip's network: {cost:.2f} GFLOP a frame at {rate:.0f} GFLOP/s, {rate / limit:.0%} of the"
        f" bfloat16 limit of this machine, {limit:.0f} GFLOP/s. 250 frames take {250 * cost / rate:.2f} s."
    )
    print(f"The original, on two cores with a limit of {ORIGINAL_GFLOPS} GFLOP/s, takes as long, times:")
    for row in rows:
        if (original := ORIGINAL_S.get(str(row["what"]))) is not None:
            print(f"  {original / float(str(row['wall_s'])):.1f}  {row['what']}")


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


def speaking(name: str, voice: str, seconds: float, repeat: int, folder: Path) -> dict[str, object]:
    """A row of the table for a text that no run has spoken before, about `seconds` long."""
    runs, heard = [], 0.0
    for number in range(repeat):
        lines = (f"{number} and {line}: {SENTENCE}" for line in range(round(seconds / 6)))
        arguments = ["say", "-", "--voice", voice, "-o", str(folder / "said.wav"), "--json"]
        runs.append(run([sys.executable, "-m", "avatalk.cli", *arguments], "\n\n".join(lines)))
        heard = json.loads(str(runs[-1]["out"]))["duration_s"]
    wall = statistics.median(float(str(r["wall"])) for r in runs)
    return {
        "what": f"{name}, {heard:.0f} s",
        "wall_s": round(wall, 2),
        "cpu_s": round(statistics.median(float(str(r["cpu"])) for r in runs), 2),
        "peak_mb": round(max(float(str(r["mb"])) for r in runs)),
        "times_real_time": round(heard / wall, 1),
    }


def speech_rows(repeat: int, folder: Path) -> list[dict[str, object]]:
    """Engines that speak text, whole processes."""
    from avatalk import models

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from vits import MEDIUM, write_voice

    os.environ["AVATALK_CACHE"] = str(folder / "cache")
    rows = [speaking("espeak-ng", "amy", 600, repeat, folder)]
    # A symbol of a real voice lasts about 3.5 frames, 80 ms with the padding behind it.
    path = write_voice(folder, "en_US-bench-medium", MEDIUM, inference={"length_scale": 0.6})
    models.import_file(path, accept_licence=True)
    speaking("", "bench", 6, 1, folder)  # converts the network
    return [*rows, speaking("Piper medium", "bench", 60, repeat, folder)]


IMPORT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from painter import save_full_size
from avatalk import models
models.import_file(save_full_size(Path(sys.argv[2])))
"""

PAINT = """
import sys
from avatalk.avatars.diffusion import Diffusion, find_folder, identify
from avatalk.events import Monitor
folder = find_folder()
Diffusion().paint(folder, identify(folder), "a woman with red hair", 0, int(sys.argv[1]), "", Monitor())
"""


def diffusion_rows(repeat: int, folder: Path) -> list[dict[str, object]]:
    """One picture of 512×512, whole processes; the networks are converted before."""
    os.environ["AVATALK_CACHE"] = str(folder / "cache")
    # In a process of its own: what this one holds would count as theirs that are measured.
    run([sys.executable, "-c", IMPORT, str(Path(__file__).parents[1] / "tests"), str(folder / "full-size")])
    shutil.rmtree(folder / "full-size")
    rows = []
    run([sys.executable, "-c", PAINT, "1"])  # converts what the import has not
    for steps in (1, 20):
        runs = [run([sys.executable, "-c", PAINT, str(steps)]) for _ in range(repeat)]
        rows.append(
            {
                "what": f"painted picture, 512×512, {steps} step{'s'[: steps - 1]}",
                "wall_s": round(statistics.median(float(str(r["wall"])) for r in runs), 1),
                "cpu_s": round(statistics.median(float(str(r["cpu"])) for r in runs), 1),
                "peak_mb": round(max(float(str(r["mb"])) for r in runs)),
            }
        )
    return rows


def matting_rows(repeat: int, folder: Path) -> list[dict[str, object]]:
    """Cutting persons out, decoding included and encoding not: a 720p clip, and a 720p still."""
    from avatalk.avatars import gallery
    from avatalk.avatars.clip import open_clip
    from avatalk.compose.selfie import Selfie
    from avatalk.events import Monitor

    engine, filmed = Selfie.configured("cpu", Monitor()), open_clip(clip(folder, 4))
    still = np.asarray(gallery.get("ada").picture(1280, 720))

    def cut_clip() -> None:
        for _ in engine.cut_clip(filmed.frames, range(len(filmed)), len(filmed)):
            pass

    rows: list[dict[str, object]] = []
    for name, work, seconds in (
        ("matting of a 720p clip, 4 s at 25 frames/s", cut_clip, 4),
        ("matting of a 720p still", lambda: engine.cut(still), 0),
    ):
        work()
        walls, spent = [], []
        for _ in range(repeat):
            began, busy = time.perf_counter(), time.process_time()
            work()
            walls.append(time.perf_counter() - began)
            spent.append(time.process_time() - busy)
        wall = statistics.median(walls)
        row = {"what": name, "wall_s": round(wall, 2), "cpu_s": round(statistics.median(spent), 2)}
        rows.append({**row, "times_real_time": round(seconds / wall, 2)} if seconds else row)
    return rows


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
    parser.add_argument("--neural", action="store_true")
    parser.add_argument("--diffusion", action="store_true", help="only one painted picture")
    parser.add_argument("--speech", action="store_true", help="only engines that speak")
    parser.add_argument("--matting", action="store_true", help="only cutting persons out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.speech:
            table(speech_rows(options.repeat, folder))
            return
        if options.diffusion:
            table(diffusion_rows(options.repeat, folder))
            print(f"\nbfloat16 limit of this machine: {peak_gflops():.0f} GFLOP/s")
            return
        if options.matting:
            table(matting_rows(options.repeat, folder))
            return
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
                "the same before a colour",
                [*warped, "--audio", str(ten), "--background", "#204060"],
                10,
                repeat,
                output,
            ),
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
        if options.neural:
            fill_weights(folder)
            lips = ["--engine", "wav2lip-gan", "--audio", str(ten)]
            still, filmed = (
                ["make", "--avatar", str(photo), *lips],
                ["make", "--avatar", str(clip(folder, 10)), *lips],
            )
            rows += [
                measure("Wav2Lip, photograph, 10 s", still, 10, repeat, output),
                measure("Wav2Lip, 720p clip, 10 s, MediaPipe faces", filmed, 10, repeat, output),
                measure(
                    "Wav2Lip, 720p clip, 10 s, S3FD faces", [*filmed, "--faces", "s3fd"], 10, repeat, output
                ),
            ]
        table(rows)
        if options.neural:
            tell_network(photo, ten, rows)


if __name__ == "__main__":
    main()
