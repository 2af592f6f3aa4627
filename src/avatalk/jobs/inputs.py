"""The files that a request names are copied into the storage at once, so that any worker has them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from avatalk.avatars import kept
from avatalk.errors import BadInput, UnreadableFile
from avatalk.jobs.storage import Storage
from avatalk.request import VideoRequest
from avatalk.spec import PATHS, check_local, path_in
from avatalk.speech import kept as voices
from avatalk.workspace import temporary_folder

ASSETS = "assets"
"""Folder of the storage that holds what requests are made from, shared by all jobs."""


_STORED = (*PATHS, "voice")
"""Fields that may hold a key."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """A request whose files are stored.

    Attributes:
        fields: of the request, as JSON has them; keys of the storage stand where paths stood.
        names: key → name of the file that was given, for messages.
    """

    fields: dict[str, Any]
    names: dict[str, str]


def store_inputs(request: VideoRequest, storage: Storage) -> Inputs:
    """Copy the files of `request` into `storage`.

    Raises:
        UnreadableFile: one of them is not there.
        StorageError: the storage cannot be written.
    """
    check_local(request)
    fields: dict[str, Any] = json.loads(request.to_json())
    names: dict[str, str] = {}
    for field in PATHS:
        value = fields.get(field)
        path = path_in(field, value)
        if field == "avatar" and path is None and str(value or "").strip().lower() in kept.names():
            # One that is kept under a name lies on this machine alone.
            path = value
            file = kept.folder() / f"{str(value).strip().lower()}.png"
        elif path is None:
            continue
        else:
            file = Path(path)
        if not file.is_file():
            raise UnreadableFile(f"There is no file {path}.", hint="Check the name.", field=field)
        try:
            key = storage.put(file, ASSETS).key
        except PermissionError as error:
            raise UnreadableFile(f"{path} cannot be read.", hint="Check its rights.", field=field) from error
        names[key] = file.name
        fields[field] = fields[field].replace(path, key, 1)
    pack_voice(fields, names, storage)
    return Inputs(fields, names)


def pack_voice(fields: dict[str, Any], names: dict[str, str], storage: Storage) -> None:
    """Store the kept voice that a request names, with its speaker's consent: it lies on this machine alone.

    Args:
        fields: of the request; the key of the storage takes the place of the voice's name.
        names: gets the key, and the name.
        storage: where to.

    Raises:
        UnreadableFile: the voice is damaged.
        StorageError: the storage cannot be written.
    """
    own = voices.get(fields["voice"]) if fields.get("voice") else None
    if own is None:
        return
    with temporary_folder() as folder:
        path = Path(folder) / f"{own.name}{voices.PACK}"
        voices.pack(own, path)
        fields["voice"] = storage.put(path, ASSETS).key
    names[fields["voice"]] = own.name


def local_request(inputs: Inputs, storage: Storage, folder: Path) -> tuple[VideoRequest, dict[str, str]]:
    """The request with paths of local files, and each of these paths → the name that the user knows.

    Args:
        inputs: from `store_inputs`.
        storage: where the files lie.
        folder: for copies, which must stay as long as the request is used.
    """
    fields, given = dict(inputs.fields), {}
    for key, name in inputs.names.items():
        path = str(storage.fetch(key, folder))
        given[path] = name
        for field in _STORED:
            if isinstance(fields.get(field), str):
                fields[field] = fields[field].replace(key, path, 1)
    return VideoRequest(**fields), given


def with_names(text: str, names: dict[str, str]) -> str:
    """A text with the names of files that the user knows, instead of paths of this machine.

    Args:
        text: of an error, a warning and the like.
        names: from `local_request`.
    """
    for path, name in names.items():
        text = text.replace(path, name).replace(Path(path).name, name)
    return text


def told_request(inputs: Inputs) -> str:
    """The request as the finished file carries it: JSON, with the names of the files that were given."""
    fields = dict(inputs.fields)
    for key, name in inputs.names.items():
        for field in _STORED:
            if isinstance(fields.get(field), str):
                fields[field] = fields[field].replace(key, PurePosixPath(name).name, 1)
    return json.dumps(fields, ensure_ascii=False)


def words_of(inputs: Inputs) -> str:
    """What a search for a job looks in: its texts, its avatar and the names of its files, case folded."""
    request = VideoRequest(**inputs.fields)
    said = [correction.text for correction in request.corrections]
    texts = [request.text, *said, request.transcript, request.avatar_prompt, *inputs.names.values()]
    if request.avatar_prompt is None and request.avatar not in inputs.names:
        texts.append(request.avatar)
    return "\n".join(filter(None, texts)).casefold().replace("\0", "")  # which PostgreSQL does not take


def check_request(request: VideoRequest) -> None:
    """Find out at once what no job can do.

    Raises:
        BadInput: the video would be transparent, which MP4 cannot be.
    """
    if request.background == "transparent":
        raise BadInput(
            "A job makes an MP4, which cannot be transparent.",
            hint="Make it with `avatalk make -o video.webm`, or choose another background.",
            field="background",
        )
