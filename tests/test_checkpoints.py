"""Weights in every form in which people have them, and files that are none."""

import collections
import os
import pickle
import zipfile

import pytest

from filled import keys

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from safetensors.torch import save_file  # noqa: E402

from avatalk.errors import UnreadableFile  # noqa: E402
from avatalk.models import checkpoints  # noqa: E402


class Small(torch.nn.Module):
    """A network whose tensors have names of Wav2Lip's, at tiny size."""

    def __init__(self):
        super().__init__()
        self.face_decoder_blocks = torch.nn.ModuleList([torch.nn.Sequential(Half())])

    def forward(self, x):
        return self.face_decoder_blocks[0](x)


class Half(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_block = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))

    def forward(self, x):
        return torch.relu(self.conv_block(x))


@pytest.fixture
def network():
    torch.manual_seed(7)
    net = Small()
    net.face_decoder_blocks[0][0].conv_block[1].running_mean.normal_()
    return net.eval()


def legacy(net, path):
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    optimizer = torch.optim.Adam(net.parameters())
    checkpoint = {"state_dict": state, "optimizer": optimizer.state_dict(), "global_step": 7}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)


def without_prefix(net, path):
    torch.save({"state_dict": net.state_dict()}, path)


def bare(net, path):
    torch.save(collections.OrderedDict(net.state_dict()), path)


def safetensors(net, path):
    save_file(net.state_dict(), path)


def traced(net, path):
    torch.jit.save(torch.jit.trace(net, torch.zeros(1, 2, 8, 8)), path)


def scripted(net, path):
    torch.jit.save(torch.jit.script(net), path)


FORMS = [legacy, without_prefix, bare, safetensors, traced, scripted]


@pytest.mark.parametrize("save", FORMS)
def test_every_form_gives_the_same_output(network, save, tmp_path):
    path = tmp_path / "wav2lip.pth"
    save(network, path)
    other = Small().eval()
    example = torch.rand(1, 2, 8, 8)
    assert not torch.equal(other(example), network(example))
    checkpoints.load_weights(other, path, "wav2lip")
    assert torch.equal(other(example), network(example))


@pytest.mark.parametrize("kept", [0.3, 0.99])
@pytest.mark.parametrize("save", FORMS)
def test_a_file_cut_short_is_called_so(network, save, kept, tmp_path):
    path = tmp_path / "wav2lip.pth"
    save(network, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(UnreadableFile, match=r"wav2lip\.pth is cut short or damaged") as caught:
        checkpoints.load_weights(Small(), path, "wav2lip")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n <!DOCTYPE html><html><title>Sign in</title>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS pointer"),
        (b"just some words", "is not a model"),
        (b"\x80\x02nonsense", "is cut short or damaged"),
    ],
)
def test_what_is_no_model_is_called_what_it_is(content, words, tmp_path):
    path = tmp_path / "wav2lip.pth"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=words):
        checkpoints.load_weights(Small(), path, "wav2lip")


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(UnreadableFile, match="no such file"):
        checkpoints.load_weights(Small(), tmp_path / "wav2lip.pth", "wav2lip")


def test_another_model_under_the_right_name_is_named(tmp_path):
    path = tmp_path / "wav2lip.pth"
    torch.save({name: torch.zeros(1) for name in keys("s3fd")}, path)
    with pytest.raises(UnreadableFile, match="holds S3FD, a face detector, not Wav2Lip"):
        checkpoints.load_weights(Small(), path, "wav2lip")
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(UnreadableFile, match="holds another model, not Wav2Lip"):
        checkpoints.load_weights(Small(), path, "wav2lip")


@pytest.mark.parametrize("change", ["missing", "added", "shape"])
def test_a_variant_does_not_pass(network, change, tmp_path):
    state = network.state_dict()
    name = "face_decoder_blocks.0.0.conv_block.1.running_var"
    if change == "missing":
        del state[name]
    elif change == "added":
        state["more.weight"] = torch.zeros(1)
    else:
        state[name] = torch.zeros(4)
    torch.save(state, tmp_path / "variant.pth")
    with pytest.raises(UnreadableFile, match=r"1 tensors differ"):
        checkpoints.load_weights(Small(), tmp_path / "variant.pth", "wav2lip")


def test_weights_that_are_not_numbers_do_not_pass(network, tmp_path):
    network.face_decoder_blocks[0][0].conv_block[0].bias.data[1] = float("nan")
    bare(network, tmp_path / "nan.pth")
    with pytest.raises(UnreadableFile, match="some weights are not numbers"):
        checkpoints.load_weights(Small(), tmp_path / "nan.pth", "wav2lip")


class Evil:
    def __reduce__(self):
        return os.mkdir, (Evil.folder,)


@pytest.mark.parametrize("form", ["pickle", "script"])
def test_nothing_in_a_file_is_run(network, form, tmp_path):
    Evil.folder = str(tmp_path / "made by the file")
    path = tmp_path / "evil.pth"
    if form == "pickle":
        torch.save({"state_dict": network.state_dict(), "evil": Evil()}, path)
    else:
        traced(network, tmp_path / "good.pt")
        with zipfile.ZipFile(tmp_path / "good.pt") as good, zipfile.ZipFile(path, "w") as bad:
            for name in good.namelist():
                bad.writestr(name, pickle.dumps(Evil()) if name.endswith("/data.pkl") else good.read(name))
    with pytest.raises(UnreadableFile, match="holds program code besides weights, which is not run"):
        checkpoints.load_weights(Small(), path, "wav2lip")
    assert not os.path.exists(Evil.folder)  # noqa: PTH110
