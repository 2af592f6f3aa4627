# ruff: noqa: F811 - fixtures that come from elsewhere
"""Weights of unknown checksum are recognised by what they hold, whatever their form and name."""

import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from avatalk import models  # noqa: E402
from avatalk.cli import app  # noqa: E402
from avatalk.errors import EngineUnavailable, ModelUnavailable, UnreadableFile  # noqa: E402
from avatalk.models.manifest import Web  # noqa: E402
from filled import keys, state_dict  # noqa: E402
from test_checkpoints import FORMS, Small, bare, legacy, traced  # noqa: E402
from weights_server import HTML, Page, content, machine, server, sha256, store_of, weights  # noqa: E402, F401


@pytest.fixture
def store(tmp_path, server):
    """Two models of one kind, which a small network stands for."""
    made = [
        weights(Web(server.url), name=name, network="test_checkpoints:Small", kind="wav2lip")
        for name in ("lips", "lips-gan")
    ]
    return store_of(tmp_path, *made)


@pytest.mark.parametrize("save", FORMS)
def test_right_weights_of_unknown_checksum_are_taken_with_a_warning(store, tmp_path, save):
    path = tmp_path / "my download.bin"
    save(Small().eval(), path)
    given = path.read_bytes()
    found = store.import_file(path)
    assert found.model == "lips" and found.files == ("w.pth",) and not found.published
    assert sha256(given) in found.what and "SHA-256 is none of the published ones" in found.what
    assert content(store, "lips") == given and store.verify("lips") == [] and store.installed("lips")
    kept = store.kept(store.get("lips"))["w.pth"]
    assert (kept.sha256, kept.title) == (sha256(given), "from my download.bin")


def test_the_name_decides_where_the_content_fits_several(store, tmp_path):
    path = tmp_path / "Lips_GAN (2).pth"
    bare(Small(), path)
    assert store.import_file(path).model == "lips-gan"
    assert store.import_file(path, name="lips").model == "lips"


def cut(net, path):
    legacy(net, path)
    path.write_bytes(path.read_bytes()[:-1000])


def page(net, path):
    path.write_bytes(HTML)


def detector(net, path):
    torch.save({name: torch.zeros(1) for name in keys("s3fd")}, path)


def stranger(net, path):
    torch.save({"weight": torch.zeros(1)}, path)


def expert(net, path):
    torch.save({"face_encoder.16.conv_block.0.weight": torch.zeros(1)}, path)


def variant(net, path):
    torch.save(net.state_dict() | {"more": torch.zeros(1)}, path)


def sick(net, path):
    net.face_decoder_blocks[0][0].conv_block[0].bias.data[0] = float("inf")
    traced(net, path)


WRONG = {
    page: "is a web page",
    cut: "is cut short",
    detector: "S3FD, a face detector",
    stranger: "another model|none that avatalk knows",
    expert: "lip-sync expert",
}


@pytest.mark.parametrize("save", [*WRONG, variant, sick])
def test_what_is_brought_and_does_not_fit(store, tmp_path, save):
    save(Small().eval(), tmp_path / "w.pth")
    words = WRONG | {variant: "holds a variant of Wav2Lip", sick: "some weights are not numbers"}
    with pytest.raises(UnreadableFile, match=words[save]) as caught:
        store.import_file(tmp_path / "w.pth")
    assert caught.value.hint and not store.folder("lips").exists() and not store.folder("lips-gan").exists()


@pytest.mark.parametrize("save", [*WRONG, bare])
def test_what_is_fetched_and_not_the_published_file(store, server, tmp_path, save):
    save(Small(), tmp_path / "w.pth")
    served = (tmp_path / "w.pth").read_bytes()
    server.pages["/w.pth"] = Page(served)
    model = store.get("lips")
    if len(served) > model.bytes:  # else its size alone tells
        file = replace(model.files[0], bytes=len(served) + 1)
        store.models["lips"] = replace(model, files=(file,))
    with pytest.raises(ModelUnavailable) as caught:
        store.install("lips")
    words = (WRONG | {bare: "holds Wav2Lip, but not the published weights"})[save].split("|")
    assert any(word in caught.value.message for word in words), caught.value.message
    assert not store.installed("lips")


def test_without_pytorch_the_missing_extra_is_named(store, tmp_path, monkeypatch):
    bare(Small(), tmp_path / "w.pt")
    cut(Small(), tmp_path / "w.pth")
    monkeypatch.setitem(sys.modules, "torch", None)  # makes its import fail
    with pytest.raises(EngineUnavailable, match=r"w\.pt is none of the published files") as caught:
        store.import_file(tmp_path / "w.pt")
    assert "avatalk[neural]" in caught.value.hint
    with pytest.raises(UnreadableFile, match=r"w\.pth is cut short: \d+ of 2048000 bytes"):
        store.import_file(tmp_path / "w.pth")


def test_wav2lip_itself_from_the_command_line(machine, tmp_path):
    state = {f"module.{name}": tensor for name, tensor in state_dict("wav2lip").items()}
    path = tmp_path / "Wav2Lip-GAN copy.pth"
    torch.save({"state_dict": state}, path)
    command = ["models", "import", str(path)]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 3 and "research and personal use" in refused.stderr
    assert not models.installed("wav2lip-gan")
    done = CliRunner().invoke(app, [*command, "--accept-license"])
    assert done.exit_code == 0 and "wav2lip-gan: " in done.stdout and "none of the published" in done.stdout
    assert models.installed("wav2lip-gan") and models.path("wav2lip-gan", "wav2lip_gan.pth").exists()
