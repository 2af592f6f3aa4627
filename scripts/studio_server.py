"""A server with the studio on the loopback, for scripts that visit it with Debian's Chromium."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

BROWSER = os.environ.get("AVATALK_BROWSER", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
SLOW = 240_000  # milliseconds


@contextmanager
def serving(data):
    """The address of `avatalk serve`, until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "avatalk.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command, env={**os.environ, "AVATALK_DATA": str(data)}, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        while not answers(url):
            assert process.poll() is None
        yield url
    finally:
        process.terminate()
        process.wait()


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=60).status == 200
    except urllib.error.HTTPError:
        return True  # it wants a key
    except urllib.error.URLError:
        return False
