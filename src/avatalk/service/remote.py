"""Files that requests name by an https URL: fetched from listed hosts, and from public addresses only.

Nothing is fetched unless the setting ``remote_hosts`` lists the host. Every step is checked alike, that of a
redirect as well: the form of the URL, the host, its port, and by `avatalk.service.pinned` all its addresses,
to one of which the connection then goes.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx

from avatalk import settings
from avatalk._version import __version__
from avatalk.errors import BadInput, TooLarge, TooMany
from avatalk.service.pinned import PublicOnly, Refused
from avatalk.service.uploads import Spool, Spooled, Upload

if TYPE_CHECKING:  # which are made of what calls this
    from avatalk.service.context import Caller, Service

_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")
# ASCII only, without user names, backslashes and spaces, so that no parser sees another host than this one.
_URL = re.compile(r"https://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?(?:[/?][!-\[\]-~]*)?", re.A | re.I)
_REDIRECTS = 3
_LONGEST_S = 300.0
_LEAST_BYTES_S = 16_000
_AT_ONCE = BoundedSemaphore(4)


def is_url(value: str) -> bool:
    """Whether a field names something elsewhere, by whatever scheme."""
    return bool(_SCHEME.match(value))


def take_url(service: Service, caller: Caller, url: str, field: str) -> str:
    """Fetch a file, and return the id of the asset that it becomes. It may take minutes.

    Args:
        service: where to.
        caller: who owns it.
        url: as it stands in the request.
        field: in which.

    Raises:
        BadInput: the URL is not one from which files are fetched here, or there is no such file.
        TooLarge: the file is beyond a limit.
        TooMany: too many are fetched already.
    """
    from avatalk.service.assets import take  # which takes a whole service

    hosts = frozenset(host.lower() for host in settings.listed("remote_hosts"))
    check_url(url, hosts, field)
    if not _AT_ONCE.acquire(blocking=False):
        raise TooMany("Too many files are fetched now.", hint="Try again, or upload it.", retry_after_s=10)
    try:
        with fetched(url, hosts, service.spool, field) as upload:
            return take(service, caller, upload.path, upload.name, field, upload.sha256)
    finally:
        _AT_ONCE.release()


def check_url(url: str, hosts: Collection[str], field: str) -> None:
    """Check the form of a URL, its host and its port.

    Args:
        url: of a file, or where a redirect leads.
        hosts: from which files are fetched, in small letters; ``host:port`` where the port is not 443.
        field: of the request.

    Raises:
        BadInput: it is not to be asked.
    """
    if not hosts:
        raise _refused("names a file elsewhere, which is off here", field)
    match = _URL.fullmatch(url.strip())
    if match is None:
        raise _refused("is no plain https URL", field)
    host, port = match[1].lower(), int(match[2] or 443)
    if f"{host}:{port}" not in hosts and not (port == 443 and host in hosts):
        raise _refused("names a host that is not listed here", field)


@contextmanager
def fetched(
    url: str, hosts: Collection[str], spool: Spool, field: str, transport: PublicOnly | None = None
) -> Iterator[Upload]:
    """The file at a URL, until the end of the block.

    Args:
        url: of the file.
        hosts: as for `check_url`.
        spool: where it lies meanwhile.
        field: of the request.
        transport: how hosts are found and trusted; by default as the system does it.

    Raises:
        BadInput: it is not to be asked, or does not give a file.
        TooLarge: the file is larger than may be uploaded.
    """
    limit = int(settings.number("max_upload_mb") * 1e6)
    name = unquote(httpx.URL(url.strip()).path)
    file = Spooled(spool, limit, name)
    try:
        try:
            asyncio.run(_fetch(url.strip(), hosts, file, field, transport or PublicOnly(())))
        except Refused as error:
            raise _refused(f"cannot be used: {error}", field) from error
        except (httpx.HTTPError, httpx.InvalidURL, asyncio.TimeoutError) as error:
            raise _failed("did not come", field) from error
        except TooLarge as error:
            error.field = field
            raise
        yield file.end()
    finally:
        file.discard()


async def _fetch(url: str, hosts: Collection[str], file: Spooled, field: str, transport: PublicOnly) -> None:
    headers = {"User-Agent": f"avatalk/{__version__}", "Accept-Encoding": "identity"}
    patience_s = settings.number("upload_timeout_s")
    async with httpx.AsyncClient(
        transport=transport, headers=headers, timeout=patience_s, trust_env=False
    ) as client:
        for _ in range(1 + _REDIRECTS):
            check_url(url, hosts, field)
            found = await asyncio.wait_for(_step(client, url, file, field, patience_s), _LONGEST_S)
            if found is None:
                return
            url = found
    raise _failed("is behind too many redirects", field)


async def _step(
    client: httpx.AsyncClient, url: str, file: Spooled, field: str, patience_s: float
) -> str | None:
    """Ask once: write the file, or return where it is instead."""
    async with client.stream("GET", url) as answer:
        if answer.has_redirect_location:
            return str(httpx.URL(url).join(answer.headers["location"]))
        if answer.status_code != 200:
            raise _failed(f"is answered with {answer.status_code}", field)
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise _failed("is answered in a compressed form", field)
        claimed = answer.headers.get("content-length", "0")
        file.expect(int(claimed) if claimed.isdecimal() else 0)
        began = time.monotonic()
        async for block in answer.aiter_raw():  # as it comes, so that slowness is seen
            await asyncio.to_thread(file.write, block)
            if file.bytes < _LEAST_BYTES_S * (time.monotonic() - began - patience_s):
                raise _failed("comes too slowly", field)
    return None


def _refused(why: str, field: str) -> BadInput:
    return BadInput(
        f"The URL in {field} {why}.",
        hint="Upload the file with POST /v1/assets. Files are fetched by https, from public addresses of the"
        " hosts that AVATALK_REMOTE_HOSTS lists.",
        field=field,
    )


def _failed(why: str, field: str) -> BadInput:
    return BadInput(
        f"The file that {field} names {why}.", hint="Check the URL, or upload the file.", field=field
    )
