"""What the service makes for later requests becomes an asset of the caller, as if it had been uploaded."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avatalk.jobs.inputs import ASSETS
from avatalk.service.tables import assets

if TYPE_CHECKING:
    from avatalk.service.context import Caller, Service


def as_asset(
    service: Service, caller: Caller, path: Path, name: str, kind: str, type_: str, facts: dict[str, Any]
) -> str:
    """Store a file that the service itself has made, and return the id of the asset.

    Args:
        service: where to.
        caller: whose it is.
        path: of the file.
        name: what it is called.
        kind: picture, clip or sound.
        type_: media type.
        facts: of its content, such as ``duration_s``.

    Raises:
        StorageError: storage or database cannot be reached.
    """
    stored, now = service.storage.put(path, ASSETS), time.time()
    row = {
        "id": f"asset_{secrets.token_hex(16)}",
        "owner": caller.owner,
        "key": stored.key,
        "name": name,
        "kind": kind,
        "type": type_,
        "facts": {"bytes": stored.size, **facts},
        "created_at": now,
        "used_at": now,
    }
    service.db.run(lambda connection: connection.execute(assets.insert().values(**row)))
    return str(row["id"])
