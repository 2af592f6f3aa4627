"""What every store of files must do."""

import pytest

from avatalk.errors import NotFound, UnreadableFile


def keeps_files(storage, folder):
    """Check that a store elsewhere keeps files, lends copies, and forgets what is removed."""
    source = folder / "a.bin"
    source.write_bytes(b"abc")
    stored = storage.put(source, "jobs/j", "video")
    assert storage.put(source, "jobs/j", "video") == stored
    assert storage.keys("jobs") == [stored.key] and stored.size == 3
    fetched = storage.fetch(stored.key, folder)
    assert fetched.read_bytes() == b"abc" and fetched.parent == folder
    with storage.open(stored.key) as file:
        file.seek(1)
        assert file.read() == b"bc"
    storage.remove("jobs/j")
    storage.remove("jobs/j")
    assert storage.keys("jobs") == []
    with pytest.raises(NotFound):
        storage.open(stored.key)
    with pytest.raises(UnreadableFile):
        storage.fetch(stored.key, folder / "b")
