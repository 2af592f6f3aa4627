# ruff: noqa: F811 - fixtures that come from elsewhere
"""Weights that are here: in which form, under which licence, brought by whom, and the commands for it."""

import json
import zipfile
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from avatalk import models
from avatalk.cli import app
from avatalk.errors import CannotRun, EngineUnavailable, ModelUnavailable, UnreadableFile
from avatalk.events import Monitor
from avatalk.models.manifest import MODELS, Form, ModelFile, Web
from avatalk.models.runtime import converted
from weights_server import (  # noqa: F401
    HTML,
    WEIGHTS,
    Page,
    content,
    machine,
    server,
    sha256,
    store,
    store_of,
    unfinished,
    weights,
)

# --- several forms, licences -----------------------------------------------------------------------

SMALL = b"the same in another form" * 1000


@pytest.mark.parametrize("size", [len(SMALL), 0])
def test_another_published_form_serves_as_well(tmp_path, server, size):
    server.pages["/small/w.pth"] = Page(SMALL)
    form = Form(size, sha256(SMALL), "a small form")
    model = weights(Web(server.url + "none/"), Web(server.url + "small/"), others=(form,))
    store = store_of(tmp_path, model)
    store.install("toy")
    assert content(store) == SMALL and store.installed("toy") and store.verify("toy") == []
    assert store.kept(model) == {"w.pth": replace(form, bytes=len(SMALL))}
    (store.folder("toy") / "w.pth").write_bytes(SMALL[::-1])
    assert store.verify("toy") == ["w.pth"]

    store = store_of(tmp_path, weights(Web(server.url), others=(form,)))
    store.install("toy")
    assert content(store) == WEIGHTS and store.verify("toy") == [] and store.kept(model)["w.pth"].title == ""
    assert store.remove("toy") and not store.remove("toy") and not store.folder("toy").exists()


def test_what_was_made_from_a_file_goes_with_it(store, tmp_path):
    def convert():
        made = converted(store.path("toy", "w.pth"), "net")
        made.parent.mkdir(parents=True)
        made.touch()
        return made

    store.install("toy")
    first = convert()
    (tmp_path / "again").write_bytes(WEIGHTS)
    store.import_file(tmp_path / "again")
    assert not first.exists()
    second = convert()
    store.install("toy")  # nothing to do
    assert second.exists()
    store.remove("toy")
    assert not second.exists()


def convert(path, monitor):
    """What the manifest of the next test names."""
    if path.read_bytes() != WEIGHTS:
        raise UnreadableFile("not these", hint="")
    monitor.report("lipsync", message="converting")
    made = converted(path, "fast")
    if made.exists():
        raise EngineUnavailable("as if PyTorch was missing", hint="")
    made.parent.mkdir(parents=True)
    made.touch()


def test_weights_are_converted_when_they_come(tmp_path, server):
    store = store_of(tmp_path, weights(Web(server.url), convert=f"{__name__}:convert"))
    told = []
    store.install("toy", Monitor(lambda progress: told.append(progress.message)))
    fast = converted(store.folder("toy") / "w.pth", "fast")
    assert fast.exists() and told[-1] == "converting"
    store.install("toy")  # cannot convert any more, which is no reason to fail
    fast.unlink()
    fast.parent.rmdir()
    (tmp_path / "again").write_bytes(WEIGHTS)
    store.import_file(tmp_path / "again")
    assert converted(store.folder("toy") / "w.pth", "fast").exists()


@pytest.fixture
def private(tmp_path, server):
    """A store with two models of one licence and one of another, none for commercial use."""
    made = [weights(Web(server.url), name=name) for name in ("toy", "sister", "stranger")]
    made = [replace(model, commercial=False, licence="Private", terms="For play only.") for model in made]
    made[2] = replace(made[2], licence="Very private")
    return store_of(tmp_path, *made)


def test_consent_is_asked_once(private, server):
    with pytest.raises(CannotRun, match=r"not for commercial use.*For play only") as caught:
        private.path("toy", "w.pth")
    assert "avatalk models install toy --accept-license" in caught.value.hint and not caught.value.retryable
    assert server.log == [] and not private.folder("toy").exists()
    private.install("toy", accept_licence=True)
    private.install("sister")
    assert content(private, "sister") == WEIGHTS
    with pytest.raises(CannotRun, match="stranger"):
        private.install("stranger")
    private.remove("toy")
    private.install("toy")


def test_commercial_machines_refuse(private, server, monkeypatch, tmp_path):
    private.install("toy", accept_licence=True)
    (tmp_path / "file").write_bytes(WEIGHTS)
    asked = len(server.log)
    monkeypatch.setenv("AVATALK_COMMERCIAL", "1")
    for attempt in (
        lambda: private.path("toy", "w.pth"),
        lambda: private.install("sister", accept_licence=True),
        lambda: private.import_file(tmp_path / "file", accept_licence=True),
    ):
        with pytest.raises(CannotRun, match=r"must not be used commercially.*AVATALK_COMMERCIAL") as caught:
            attempt()
        assert "unset AVATALK_COMMERCIAL" in caught.value.hint
    assert len(server.log) == asked
    monkeypatch.setenv("AVATALK_COMMERCIAL", "0")
    assert private.path("toy", "w.pth").exists()


# --- brought by hand -------------------------------------------------------------------------------


def test_a_file_is_recognised_by_its_checksum(store, tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_OFFLINE", "1")
    stick = tmp_path / "stick" / "download (1).tmp"
    stick.parent.mkdir()
    stick.write_bytes(WEIGHTS)
    found = store.import_file(stick)
    assert (found.model, found.files, found.published, found.missing) == ("toy", ("w.pth",), True, ())
    assert "A toy" in found.what and content(store) == WEIGHTS and store.verify("toy") == []
    assert stick.exists() and unfinished(store) == []
    store.import_file(store.path("toy", "w.pth"))  # where it lies already
    assert content(store) == WEIGHTS
    with pytest.raises(UnreadableFile, match="is the model toy, not other"):
        store.import_file(stick, name="other")
    with pytest.raises(ModelUnavailable, match="AVATALK_OFFLINE") as caught:
        store.install("other")
    assert "models import" in caught.value.hint


def test_a_file_of_several_says_what_is_missing(tmp_path):
    files = tuple(
        ModelFile(name, len(data), sha256(data), f"inside/{name}")
        for name, data in (("a", b"1"), ("b", b"22"))
    )
    store = store_of(tmp_path, replace(weights(), files=files))
    (tmp_path / "b (copy)").write_bytes(b"22")
    assert store.import_file(tmp_path / "b (copy)").missing == ("a",) and not store.installed("toy")
    wheel = tmp_path / "any.whl"
    for first in (b"x", b"1"):
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("inside/a", first)
            archive.writestr("inside/b", b"22")
        if first == b"x":
            with pytest.raises(UnreadableFile, match="does not hold a as it was published"):
                store.import_file(wheel)
    found = store.import_file(wheel)
    assert found.files == ("a", "b") and found.missing == () and store.verify("toy") == []


@pytest.mark.parametrize(
    ("brought", "words"),
    [
        (HTML, "is a web page"),
        (WEIGHTS[:1000], r"is cut short: 1000 of 2048000 bytes"),
        (WEIGHTS[::-1], "is another file: its SHA-256"),
        (b"", "is cut short: 0 of"),
    ],
)
def test_what_is_brought_under_a_right_name_and_wrong(store, tmp_path, brought, words):
    (tmp_path / "w.pth").write_bytes(brought)
    with pytest.raises(UnreadableFile, match=words) as caught:
        store.import_file(tmp_path / "w.pth")
    assert caught.value.hint and not store.folder("toy").exists()


def test_what_is_no_file(store, tmp_path):
    for path, words in ((tmp_path, "folder without a whole model"), (tmp_path / "nowhere", "cannot be read")):
        with pytest.raises(UnreadableFile, match=words):
            store.import_file(path)


# --- the command line ------------------------------------------------------------------------------


def run(*words, expect=0):
    result = CliRunner().invoke(app, ["models", *map(str, words)])
    assert result.exit_code == expect, result.output
    return result


@pytest.fixture
def listed(server, monkeypatch):
    """A model "toy" that `avatalk models` knows; its licence must be accepted."""
    model = replace(weights(Web(server.url)), commercial=False, licence="Private", terms="For play only.")
    monkeypatch.setitem(MODELS, "toy", model)
    return model


def rows():
    return {row["name"]: row for row in json.loads(run("list", "--json").stdout)}


def test_commands(listed, server, tmp_path):
    assert "--accept-license" in run("install", "toy", expect=3).stderr
    row = rows()["toy"]
    assert not row["installed"] and not row["accepted"] and row["sources"] == [server.url]
    assert row["files"][0]["sha256"] == sha256(WEIGHTS)
    assert str(models.folder("toy")) in run("install", "toy", "--accept-license").stdout
    assert rows()["toy"]["installed"] and rows()["toy"]["accepted"]
    assert run("verify").stdout == "toy: good\n"
    assert run("path", "toy").stdout.strip() == str(models.folder("toy"))
    (models.folder("toy") / "w.pth").write_bytes(b"cut")
    assert "w.pth" in run("verify", "toy", expect=2).stdout
    assert "removed" in run("remove", "toy").stdout and not rows()["toy"]["installed"]
    (tmp_path / "stick").write_bytes(WEIGHTS)
    (tmp_path / "page").write_bytes(HTML)
    assert "toy: stick is A toy" in run("import", tmp_path / "stick").stdout and rows()["toy"]["installed"]
    assert "page is a web page (HTML), not a model" in run("import", tmp_path / "page", expect=2).stderr
    assert "toy" in run("list").stdout


def test_the_manifest_covers_wav2lip():
    for name in ("wav2lip", "wav2lip-gan", "s3fd"):
        model = models.MODELS[name]
        assert not model.commercial and model.terms and len(model.sources) >= 3
        assert [bool(file.network and file.kind) for file in model.files] == [True]
    assert models.needs_consent("wav2lip") and not models.needs_consent("face")


def test_verify_says_that_there_is_nothing_to_verify(tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path))
    done = CliRunner().invoke(app, ["models", "verify"])
    assert done.exit_code == 0 and done.stdout == "No model is installed.\n"
