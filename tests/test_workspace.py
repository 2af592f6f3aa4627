import os
import subprocess
import sys
from pathlib import Path

import pytest

from avatalk import settings
from avatalk.errors import OutputError
from avatalk.workspace import check_writable, complete_or_nothing, kept_or_made


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    return settings.cache_dir()


def test_what_was_made_is_read_the_next_time(cache):
    made = []

    def make(source):
        made.append(source)
        return source.encode() * 2

    assert kept_or_made("things", "ab", make) == b"abab"
    assert kept_or_made("things", "ab", make) == b"abab"
    assert kept_or_made("things", "cd", make) == b"cdcd"
    assert made == ["ab", "cd"]
    assert len(list((cache / "things").iterdir())) == 2


def test_the_oldest_go_when_there_are_too_many(cache, monkeypatch):
    monkeypatch.setattr("avatalk.workspace._KEPT", 10)
    for number in range(40):
        kept_or_made("things", str(number), str.encode)
    assert len(list((cache / "things").iterdir())) <= 10
    assert kept_or_made("things", "39", lambda source: b"made again") == b"39"


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "file" / "cache"))
    assert kept_or_made("things", "ab", str.encode) == b"ab"


def test_a_file_appears_when_complete_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    with complete_or_nothing(path) as part:
        part.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    with pytest.raises(ZeroDivisionError), complete_or_nothing(path) as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path):
    for path in (tmp_path, tmp_path / "missing" / "a.mp4"):
        with pytest.raises(OutputError) as caught:
            check_writable(path)
        assert caught.value.hint


WITH_A_FOLDER = """
import sys
from avatalk.workspace import temporary_folder
folder = temporary_folder()
open(f"{folder.name}/speech.wav", "wb").write(b"RIFF")
print(folder.name, flush=True)
sys.stdin.read()
"""


def test_folders_of_killed_processes_go_with_the_next_process_and_no_others(tmp_path):
    (tmp_path / "avatalk-notes.txt").write_text("a file of somebody")
    for name in ("others", "avatalk-0123456789abcdef", "avatalk-mine"):  # of somebody
        (tmp_path / name).mkdir()
    (tmp_path / "avatalk-mine.lock").touch()
    somebodys = {path.name for path in tmp_path.iterdir()}

    def run():
        command, pipe = [sys.executable, "-c", WITH_A_FOLDER], subprocess.PIPE
        env = {**os.environ, "TMPDIR": str(tmp_path)}
        process = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True)
        return process, Path(process.stdout.readline().strip())

    killed, left = run()
    killed.kill()
    killed.communicate()
    assert (left / "speech.wav").exists()
    living, used = run()
    third, _ = run()
    third.communicate("")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == somebodys | {used.name, f"{used.name}.lock"}
    assert (used / "speech.wav").exists()
    living.communicate("")
    assert {path.name for path in tmp_path.iterdir()} == somebodys
