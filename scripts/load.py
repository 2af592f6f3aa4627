"""Ask a server as 200 clients do that look after their videos and upload files, while a worker renders.

Needs the extra `service`. Run as: python scripts/load.py --clients 200 --seconds 60
Starts `avatalk serve` with a fresh data folder, submits a long video and some more, and lets every client
ask for the state of one of them each `--every` seconds; one in ten uploads a picture each 5 seconds besides.
Prints how long answers took as the clients saw it, and memory and processor time of the server. Ends with 1
if an answer was wrong, or more than 1 of 100 took longer than 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

LIMIT_S = 0.1
TEXT = "The kitchen smelled of bread and coffee, and nobody had seen the old dog since Tuesday morning. "


class Client:
    """One connection that is kept, with as little work of its own as can be: it shares the processor."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, bytes, float]:
        """Status, body and seconds of an answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
        if body:
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        began = time.perf_counter()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(head.encode() + b"\r\n" + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length:")[1].split(b"\r\n")[0])
        told = await reader.readexactly(length)
        if b"connection: close" in answer:
            await self.close()
        return int(answer.split(b" ", 2)[1]), told, time.perf_counter() - began

    async def close(self) -> None:
        """Give up the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def picture(seed: int) -> bytes:
    """A JPEG of about 300 kB that no other seed gives."""
    noise = np.random.default_rng(seed).integers(0, 255, (90, 120, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((960, 720)).save(file, "JPEG", quality=92)
    return file.getvalue()


async def load(port: int, clients: int, seconds: float, every: float, pid: int) -> bool:
    """Do it, print the figures, and return whether they are good."""
    first = Client(port)
    long = {"text": TEXT * 20, "size": "1280x720"}
    ids = []
    for request in [long] + [{"text": TEXT, "size": "320x240"}] * 20:
        status, told, _ = await first.ask("POST", "/v1/videos", json.dumps(request).encode())
        assert status == 202, told
        ids.append(json.loads(told)["id"])
    while json.loads((await first.ask("GET", f"/v1/videos/{ids[0]}"))[1])["stage"] != "encode":
        await asyncio.sleep(0.5)
    took: dict[str, list[float]] = {"GET /v1/videos/{id}": [], "POST /v1/assets": []}
    errors: list[str] = []
    memory: list[float] = []
    before, end = processor_s(pid), time.monotonic() + seconds

    async def poll(number: int) -> None:
        client, video = Client(port), ids[number % len(ids)]
        await asyncio.sleep(random.random() * every)
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                status, told, spent = await client.ask("GET", f"/v1/videos/{video}")
                took["GET /v1/videos/{id}"].append(spent)
                if status != 200 or json.loads(told)["id"] != video:
                    errors.append(f"{status} {told[:200]!r}")
            except (OSError, asyncio.IncompleteReadError) as error:
                errors.append(repr(error))
                await client.close()
            await asyncio.sleep(max(0.0, began + every - time.monotonic()))
        await client.close()

    async def upload(number: int) -> None:
        client, count = Client(port), 0
        await asyncio.sleep(random.random() * 5)
        while time.monotonic() < end:
            body = await asyncio.to_thread(picture, 1000 * number + count)
            count += 1
            try:
                status, told, spent = await client.ask("POST", "/v1/assets?name=p.jpg", body, "image/jpeg")
                took["POST /v1/assets"].append(spent)
                if status != 201:
                    errors.append(f"{status} {told[:200]!r}")
            except (OSError, asyncio.IncompleteReadError) as error:
                errors.append(repr(error))
                await client.close()
            await asyncio.sleep(5)
        await client.close()

    async def watch() -> None:
        while time.monotonic() < end:
            memory.append(resident_mb(pid))
            await asyncio.sleep(1)

    await asyncio.gather(
        watch(), *(poll(number) for number in range(clients)), *(upload(n) for n in range(clients // 10))
    )
    done = json.loads((await Client(port).ask("GET", f"/v1/videos/{ids[0]}"))[1])
    print(f"{clients} clients, {seconds:g} s; the worker is at {done['progress']:.0%} of the long video")
    for name, spent in took.items():
        middle, most, nearly = np.percentile(spent, [50, 95, 99]) * 1000
        print(
            f"{name}: {len(spent)} answers, {len(spent) / seconds:.0f}/s; "
            f"50 % within {middle:.1f} ms, 95 % {most:.1f} ms, 99 % {nearly:.1f} ms, all {max(spent):.3f} s"
        )
    spent_s = processor_s(pid) - before
    answers = sum(map(len, took.values()))
    print(f"server: {spent_s / seconds:.2f} cores, {1000 * spent_s / answers:.1f} ms of them an answer")
    quarter = max(1, len(memory) // 4)
    print(f"server: {np.mean(memory[:quarter]):.0f} MB in the first quarter, ", end="")
    print(f"{np.mean(memory[-quarter:]):.0f} MB in the last")
    print(f"errors: {len(errors)}", *errors[:3], sep="\n  ")
    return not errors and bool(np.percentile(took["GET /v1/videos/{id}"], 99) < LIMIT_S)


def resident_mb(pid: int) -> float:
    """Memory of a process, on Linux."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_s(pid: int) -> float:
    """Seconds that a process has had of a processor, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "avatalk.cli", "serve", "--port", str(port)]
        with (Path(folder) / "serve.log").open("wb") as log:
            server = subprocess.Popen(
                [*command, "--workers", str(given.workers)],
                env={**os.environ, "AVATALK_DATA": folder},
                stdout=log,
                stderr=log,
            )
            try:
                while True:
                    try:
                        socket.create_connection(("127.0.0.1", port)).close()
                        break
                    except ConnectionRefusedError:
                        time.sleep(0.1)
                good = asyncio.run(load(port, given.clients, given.seconds, given.every, server.pid))
            finally:
                server.terminate()
                server.wait()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
