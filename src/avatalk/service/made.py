"""What the service makes for later requests becomes an asset of the caller, as if it had been uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatalk.models.identify import checksum
from avatalk.service.checks import Found

if TYPE_CHECKING:
    from avatalk.service.context import Caller, Service


def as_asset(
    service: Service, caller: Caller, path: Path, kind: str, type_: str, facts: dict[str, Any]
) -> str:
    """Store a file that the service itself has made, and return the id of the asset.

    Args:
        service: where to.
        caller: whose it is.
        path: of the file.
        kind: picture, clip or sound.
        type_: media type.
        facts: as `Found` has them.

    Raises:
        StorageError: storage or database cannot be reached.
    """
    from avatalk.service import shelf  # which takes a whole service, and that has what calls this

    found = Found(kind, type_, path.suffix, facts)
    row = shelf.keep(service, caller.owner, path, path.name, path.stat().st_size, checksum(path), found=found)
    return str(row.id)
