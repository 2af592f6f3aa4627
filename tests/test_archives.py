# ruff: noqa: F811 - fixtures that come from elsewhere
"""Models of several files, out of zips and folders."""

import io
import zipfile

import pytest

from avatalk.errors import ModelUnavailable, UnreadableFile
from avatalk.events import Monitor
from avatalk.models.archives import matching
from avatalk.models.manifest import Archive, Model, ModelFile
from avatalk.models.store import Store
from weights_server import Page, server  # noqa: F401

CONTENT = {"config.json": b'{"good": true}', "weights.bin": bytes(range(256)) * 300, "names.json": b"[]"}
FILES = (
    ModelFile("config.json", 0, ""),
    ModelFile("weights.bin", 0, "", aka=("best.bin",)),
    ModelFile("names.json", 0, ""),
)


def check(folder):
    """What an engine would try."""
    if b"true" not in (folder / "config.json").read_bytes():
        raise UnreadableFile("config.json is not good.")


def toy(prefix="http://nowhere.invalid/"):
    return Model(
        name="toy",
        title="a toy",
        stage="speech",
        engine="toy",
        licence="CC0-1.0",
        commercial=True,
        files=FILES,
        sources=(Archive(prefix, "toy.zip"),),
        check=f"{__name__}:check",
    )


@pytest.fixture
def store(tmp_path):
    return Store({"toy": toy()}, tmp_path / "cache")


def zipped(content, folder="deep/toy/"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in content.items():
            archive.writestr(folder + name, body)
    return buffer.getvalue()


def placed(store):
    return {file.name: (store.folder("toy") / file.name).read_bytes() for file in FILES}


def test_the_least_deep_file_is_meant():
    names = ["a/b/config.json", "a/config.json", "__MACOSX/config.json", "a/best.bin", "names.json.txt"]
    assert matching(names, FILES) == {"config.json": "a/config.json", "weights.bin": "a/best.bin"}


def test_a_zip_is_fetched_gone_on_with_and_recorded(tmp_path, server):
    server.pages["/toy.zip"] = Page(zipped(CONTENT), breaks=[5000, None])
    store = Store({"toy": toy(f"{server.url}")}, tmp_path / "cache")
    monitor = Monitor()
    store.install("toy", monitor)
    assert placed(store) == CONTENT
    (warning,) = monitor.warnings
    assert "checksum" in warning and all(name in warning for name in CONTENT)
    assert store.installed("toy") and store.verify("toy") == []
    assert not (tmp_path / "cache" / "downloads" / "toy").exists()
    (store.folder("toy") / "weights.bin").write_bytes(CONTENT["weights.bin"][:-1] + b"?")
    assert store.verify("toy") == ["weights.bin"]  # what came first is what it has to stay


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (zipped(CONTENT)[:-300], "damaged"),
        (zipped({"config.json": b"{}"}), "lacks weights.bin, names.json"),
        (b"<!doctype html><html>sign in</html>", "web page"),
    ],
)
def test_what_is_wrong_with_a_zip_is_said(tmp_path, server, served, words):
    server.pages["/toy.zip"] = Page(served)
    store = Store({"toy": toy(f"{server.url}")}, tmp_path / "cache")
    with pytest.raises(ModelUnavailable, match=words):
        store.install("toy")
    assert not store.installed("toy")


@pytest.mark.parametrize("form", ["folder", "zip", "deep folder"])
def test_what_is_brought_is_tried_and_put_in_place(store, tmp_path, form):
    content = {("best.bin" if name == "weights.bin" else name): body for name, body in CONTENT.items()}
    brought = tmp_path / ("brought.zip" if form == "zip" else "brought")
    if form == "zip":
        brought.write_bytes(zipped(content))
    else:
        inner = brought / "inner" if form == "deep folder" else brought
        inner.mkdir(parents=True)
        for name, body in content.items():
            (inner / name).write_bytes(body)
    found = store.import_file(brought)
    assert found.model == "toy"
    assert found.files == tuple(file.name for file in FILES)
    assert not found.published
    assert found.missing == ()
    assert placed(store) == CONTENT
    assert store.verify("toy") == []


def test_what_is_brought_and_no_good_is_not_put_in_place(store, tmp_path):
    brought = tmp_path / "brought.zip"
    brought.write_bytes(zipped(CONTENT | {"config.json": b"{}"}))
    with pytest.raises(UnreadableFile, match=r"config\.json is not good"):
        store.import_file(brought)
    assert not any((store.folder("toy") / file.name).exists() for file in FILES)


def test_a_folder_says_what_it_lacks(store, tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    with pytest.raises(UnreadableFile, match=r"for toy it lacks weights\.bin, names\.json"):
        store.import_file(tmp_path)


def test_names_that_lead_out_of_the_folder_lead_nowhere(store, tmp_path):
    brought = tmp_path / "brought.zip"
    brought.write_bytes(zipped(CONTENT, "../../../"))
    store.import_file(brought)
    assert placed(store) == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["brought.zip", "cache"]
