"""Models are fetched, verified and kept: real files, a real pip, no network."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from avatalk import models
from avatalk.errors import Cancelled, ModelUnavailable, UnknownName
from avatalk.events import STAGES, Monitor
from avatalk.models import manifest
from avatalk.models.manifest import Model, ModelFile, Web, Wheel

CONTENT = {"one.bin": bytes(range(256)) * 5000, "two.bin": b"second file"}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AVATALK_OFFLINE", raising=False)
    return tmp_path / "cache" / "models"


@pytest.fixture
def shelf(tmp_path):
    """A place that serves the files by URL."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def toy(monkeypatch, shelf):
    """Make the manifest know a model "toy", from the given sources; return its name."""

    def put(*sources):
        files = tuple(
            ModelFile(name, len(content), hashlib.sha256(content).hexdigest(), f"toy/{name}")
            for name, content in CONTENT.items()
        )
        model = Model("toy", "A toy", "face", "none", "CC0-1.0", True, files, sources or (web(shelf),))
        monkeypatch.setitem(manifest.MODELS, "toy", model)
        return "toy"

    return put


def web(folder):
    return Web(folder.as_uri() + "/")


def is_clean(cache):
    """Whether nothing but finished models lies in the cache."""
    return not cache.exists() or {path.name for path in cache.iterdir()} <= {"toy"}


def test_the_manifest_is_complete():
    for name, model in models.MODELS.items():
        assert name == model.name and model.stage in STAGES and model.licence and model.sources
        assert model.bytes == sum(file.bytes for file in model.files)
        for file in model.files:
            unknown = file.bytes == 0 and not file.sha256  # recorded at the first install
            assert unknown or (file.bytes > 0 and len(file.sha256) == 64 and int(file.sha256, 16))


def test_install_verify_damage_repair_remove(cache, toy):
    toy()
    assert not models.installed("toy") and models.verify("toy") == ["one.bin", "two.bin"]
    steps = []
    assert models.install("toy", Monitor(steps.append)) == models.folder("toy") == cache / "toy"
    assert {path.name: path.read_bytes() for path in (cache / "toy").iterdir()} == CONTENT
    done = [step.done for step in steps]
    assert done == sorted(done) and done[-1] == steps[-1].total == sum(map(len, CONTENT.values()))
    assert {(step.stage, step.unit) for step in steps} == {("face", "bytes")}
    assert models.installed("toy") and models.verify("toy") == []

    damaged = bytearray(CONTENT["one.bin"])
    damaged[1000] ^= 1
    (cache / "toy" / "one.bin").write_bytes(damaged)
    assert models.installed("toy") and models.verify("toy") == ["one.bin"]
    models.install("toy")
    assert models.verify("toy") == []

    (cache / "toy" / "two.bin").write_bytes(b"cut")
    assert not models.installed("toy")
    assert models.path("toy", "two.bin").read_bytes() == CONTENT["two.bin"]
    assert models.remove("toy") and not models.remove("toy") and not models.installed("toy")
    assert is_clean(cache)


def test_a_source_that_fails_falls_through_to_the_next(cache, toy, shelf, tmp_path):
    page, long = tmp_path / "page", tmp_path / "long"
    for folder, content in ((page, b"<html>Please sign in</html>"), (long, b"x" * 3_000_000)):
        folder.mkdir()
        for name in CONTENT:
            (folder / name).write_bytes(content)
    toy(web(tmp_path / "nowhere"), web(page), web(long), web(shelf))
    models.install("toy")
    assert models.verify("toy") == [] and is_clean(cache)


def test_wrong_files_are_refused_and_not_kept(cache, toy, shelf):
    (shelf / "two.bin").write_bytes(b"second evil")
    toy()
    with pytest.raises(ModelUnavailable, match=r"two\.bin is another file: its SHA-256 is") as caught:
        models.path("toy", "one.bin")
    assert "avatalk models install toy" in caught.value.hint and caught.value.stage == "face"
    assert {path.name for path in (cache / "toy").iterdir()} == {"one.bin"} and is_clean(cache)


def test_offline_never_asks_a_source(cache, toy, monkeypatch):
    toy()
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    with pytest.raises(ModelUnavailable, match="AVATALK_OFFLINE") as caught:
        models.path("toy", "one.bin")
    assert "avatalk models install toy" in caught.value.hint and not cache.exists()
    monkeypatch.setenv("AVATALK_OFFLINE", "0")
    models.install("toy")
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    assert models.path("toy", "one.bin").exists()


def test_cancelling_leaves_nothing(cache, toy):
    toy()
    cancel = Event()

    def stop_half_way(step):
        if step.done > step.total / 2:
            cancel.set()

    with pytest.raises(Cancelled):
        models.install("toy", Monitor(stop_half_way, cancel))
    assert not models.installed("toy") and is_clean(cache)


def test_an_interrupt_leaves_nothing(cache, toy):
    toy()

    def interrupt(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.install("toy", Monitor(interrupt))
    assert not models.installed("toy") and is_clean(cache)


def test_a_cache_that_cannot_be_written(tmp_path, toy, monkeypatch):
    toy()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelUnavailable, match="cannot be stored") as caught:
        models.install("toy")
    assert "AVATALK_CACHE" in caught.value.hint


def test_many_at_once(cache, toy):
    toy()
    failures = []

    def install():
        try:
            models.install("toy")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [Thread(target=install) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and models.verify("toy") == [] and is_clean(cache)


def test_unknown_names_suggest_known_ones():
    with pytest.raises(UnknownName, match="faec") as caught:
        models.path("faec", "x")
    assert "face" in caught.value.hint


# --- out of a wheel, by pip ------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder in which pip looks for wheels, instead of any index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    return folder


def wheel_of(content, folder, platform="manylinux_2_28_x86_64"):
    """Write a wheel of a package "toybox" that holds `content`; it is of no use to this interpreter."""
    info = "toybox-1.0.dist-info"
    path = folder / f"toybox-1.0-cp311-cp311-{platform}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(f"toy/{name}", data)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toybox\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp311-cp311-{platform}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return Wheel("toybox==1.0", path.stat().st_size, "3.11", platform)


def test_files_are_taken_out_of_a_wheel(cache, toy, index):
    toy(wheel_of({**CONTENT, "more.bin": b"not wanted"}, index))
    steps = []
    models.install("toy", Monitor(steps.append))
    assert models.verify("toy") == [] and is_clean(cache)
    assert {path.name for path in (cache / "toy").iterdir()} == set(CONTENT)
    assert steps[-1].done == steps[-1].total > 0


def test_a_wheel_that_is_not_there_or_lacks_the_files(cache, toy, index, shelf):
    wheel = wheel_of({"more.bin": b"x"}, index)
    toy(replace(wheel, requirement="toybox==2.0"), wheel)
    with pytest.raises(ModelUnavailable, match=r"toybox==2\.0.*pip failed.*toybox==1\.0.*not the expected"):
        models.install("toy")
    toy(wheel, web(shelf))
    models.install("toy")
    assert models.verify("toy") == [] and is_clean(cache)


def test_cancelling_ends_pip(cache, toy, index, tmp_path):
    toy(wheel_of(CONTENT, index))
    cancel = Event()
    with pytest.raises(Cancelled):
        models.install("toy", Monitor(lambda step: cancel.set(), cancel))
    assert is_clean(cache)


def test_knowing_the_models_imports_nothing_heavy():
    code = (
        "import sys, avatalk.models; print(sorted({'numpy', 'urllib.request', 'zipfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_face_model_is_what_the_manifest_says():
    for file in models.MODELS["face"].files:
        path = models.path("face", file.name)
        assert isinstance(path, Path)
    assert models.verify("face") == []
