"""Avatars painted by a pipeline of diffusers: a tiny real one with random weights goes the whole way."""

import json
import os
import shutil
import subprocess
import sys
from threading import Event

import numpy as np
import pytest

from avatalk import VideoRequest, engines, make_avatar, models, plan, preview, render
from avatalk.avatars import diffusion, diffusion_convert, diffusion_torch, usable
from avatalk.avatars.diffusion_fast import FastPainter
from avatalk.avatars.diffusion_words import wrapped
from avatalk.avatars.made import read_made, write_made
from avatalk.errors import Cancelled, CannotRun, EngineUnavailable, FaceError, UnreadableFile
from avatalk.events import Monitor
from avatalk.models import pipelines
from avatalk.models.identify import checksum
from avatalk.models.kinds import Hub
from avatalk.models.store import Store

pytest.importorskip("diffusers")
pytest.importorskip("openvino")
from painter import CARD, save_painter, save_xl_painter
from weights_server import Page, Server

PROMPT = "a woman with red hair"


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    return save_painter(tmp_path_factory.mktemp("painter") / "tiny")


@pytest.fixture(scope="module")
def filled(tmp_path_factory, painter):
    """A cache folder with the pipeline and the face models."""
    cache = tmp_path_factory.mktemp("filled")
    face = models.path("face", "face_landmark_with_attention.tflite").parent
    shutil.copytree(face, cache / "models" / "face")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AVATALK_CACHE", str(cache))
        found = models.import_file(painter)
        assert (found.model, found.missing) == ("diffusion:tiny", ())
    return cache


@pytest.fixture
def cache(filled, tmp_path, monkeypatch):
    """The same with no pictures kept."""
    shutil.rmtree(filled / "painted", ignore_errors=True)
    monkeypatch.setenv("AVATALK_CACHE", str(filled))
    monkeypatch.setenv("AVATALK_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("AVATALK_DIFFUSION", raising=False)
    return filled


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A cache folder with nothing in it."""
    monkeypatch.setenv("AVATALK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AVATALK_DIFFUSION", raising=False)
    # So PyTorch paints, and imports are quick.
    monkeypatch.setattr(diffusion_convert, "can_convert", lambda _: False)
    return tmp_path / "cache"


@pytest.fixture
def lenient(monkeypatch):
    """Noise has no face: let it pass for one from the given try on."""

    def after(tries):
        looked = []

        def examine(picture, faces):
            looked.append(picture)
            return () if len(looked) > tries else no_face

        no_face = usable.examine(np.zeros((8, 8, 3), np.uint8), [])
        monkeypatch.setattr(usable, "examine", examine)
        return looked

    return after


def paint(seed=3, steps=3, monitor=None, prompt=PROMPT):
    folder = diffusion.find_folder()
    identity = diffusion.identify(folder)
    return diffusion.Diffusion().paint(folder, identity, prompt, seed, steps, "", monitor or Monitor())


# --- painting --------------------------------------------------------------------------------------


def test_the_same_seed_paints_the_same_picture(cache):
    first, _ = paint()
    assert first.shape == (32, 32, 3) and first.dtype == np.uint8 and first.std() > 5
    assert np.array_equal(first, paint()[0])
    assert not np.array_equal(first, paint(seed=4)[0])
    assert not np.array_equal(first, paint(prompt="a man")[0])


def test_openvino_paints_what_pytorch_paints(cache, monkeypatch):
    ours, _ = paint()
    monkeypatch.setattr(diffusion_convert, "can_convert", lambda _: False)
    monkeypatch.setattr(diffusion, "loaded", lambda key, load: load())
    theirs, _ = paint()
    # Both reckon with 8 bits of mantissa, in another order.
    assert np.abs(ours.astype(int) - theirs.astype(int)).mean() < 4
    assert np.abs(ours.astype(int) - paint(seed=4)[0].astype(int)).mean() > 20


def test_a_converted_pipeline_paints_without_pytorch(cache):
    code = """if True:
        import sys
        from avatalk.avatars import diffusion
        from avatalk.events import Monitor
        folder = diffusion.find_folder()
        diffusion.Diffusion().paint(folder, "-", "a man", 0, 20, "", Monitor())
        print(sorted({"torch", "diffusers", "transformers"} & set(sys.modules)))"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize("kind", ["multistep", "euler"])
@pytest.mark.parametrize("steps", [1, 2, 4, 20])
def test_a_schedule_does_what_its_scheduler_does(cache, painter, tmp_path, kind, steps):
    import torch

    folder = tmp_path / "copy"
    shutil.copytree(painter, folder)
    if kind == "euler":
        save_euler(folder)
    assert diffusion_convert.can_convert(folder) and diffusion_convert.is_fast(folder) == (kind == "euler")
    draw = np.random.default_rng(steps)
    outputs = draw.standard_normal((steps, 1, 4, 8, 8)).astype(np.float32)
    scheduler = diffusion_convert.load_scheduler(folder)
    scheduler.set_timesteps(steps)
    plan = diffusion_convert.schedule(folder, steps)
    assert np.allclose(plan.times, scheduler.timesteps)
    known = [draw.standard_normal((1, 4, 8, 8)).astype(np.float32)]
    now = torch.from_numpy(known[0]) * scheduler.init_noise_sigma
    for time, shares, output in zip(scheduler.timesteps, plan.given, outputs, strict=True):
        seen = scheduler.scale_model_input(now, time).numpy()
        assert np.allclose(np.tensordot(shares[: len(known)], known, 1), seen, atol=1e-4 * np.abs(seen).max())
        now = scheduler.step(torch.from_numpy(output), time, now, return_dict=False)[0]
        known.append(output)
    assert np.allclose(np.tensordot(plan.painted, known, 1), now, atol=1e-4 * np.abs(now.numpy()).max())


def save_euler(folder):
    """Put the scheduler of SD-Turbo into a pipeline."""
    from diffusers import EulerDiscreteScheduler

    betas = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    EulerDiscreteScheduler(**betas, timestep_spacing="trailing").save_pretrained(folder / "scheduler")
    index = folder / "model_index.json"
    index.write_text(index.read_text().replace("PNDMScheduler", "EulerDiscreteScheduler"))


def test_turbo_paints_in_openvino_what_pytorch_paints(cache, painter, tmp_path, monkeypatch):
    folder = tmp_path / "turbo"
    shutil.copytree(painter, folder)
    save_euler(folder)
    monkeypatch.setenv("AVATALK_DIFFUSION", str(folder))
    monkeypatch.setattr(diffusion, "loaded", lambda key, load: load())
    ours, _ = paint()
    monkeypatch.setattr(diffusion_convert, "can_convert", lambda _: False)
    assert np.abs(ours.astype(int) - paint()[0].astype(int)).mean() < 4


def test_the_weights_of_the_text_are_read_under_their_published_names(cache, painter):
    from safetensors.torch import load_file

    pipeline = diffusion_torch.load_pipeline(diffusion.find_folder(), "cpu")
    published = load_file(painter / "text_encoder" / "model.safetensors")
    state = pipeline.text_encoder.state_dict()
    for name, tensor in published.items():
        if not name.endswith("position_ids"):
            held = next(value for key, value in state.items() if name.endswith(key))
            assert np.allclose(held.float().numpy(), tensor.float().numpy(), atol=0.01), name


def test_every_step_is_told_and_steps_are_the_fast_scheduler_s(cache):
    told = []
    paint(steps=4, monitor=Monitor(told.append))
    steps = [(step.done, step.total, step.unit) for step in told if "Painting" in step.message]
    assert steps == [(done, 4, "steps") for done in range(5)]
    scheduler = diffusion_convert.load_scheduler(diffusion.find_folder())
    assert type(scheduler).__name__ == "DPMSolverMultistepScheduler"
    pipeline = diffusion_torch.load_pipeline(diffusion.find_folder(), "cpu")
    assert dict(pipeline.scheduler.config) == dict(scheduler.config)


@pytest.mark.parametrize("fast", [True, False])
def test_the_last_steps_are_not_guided(cache, monkeypatch, fast):
    folder, seen = diffusion.find_folder(), []

    def counted(run):
        def counting(latents, *others, **named):
            seen.append(len(latents))
            return run(latents, *others, **named)

        return counting

    if fast:
        painter = FastPainter(folder, Monitor())
        network = painter._network("unet")
        monkeypatch.setattr(painter, "_networks", (counted(network), painter._network("vae")))
    else:
        painter = diffusion_torch.TorchPainter(folder, "cpu")
        painter.pipeline.unet.forward = counted(painter.pipeline.unet.forward)
    monkeypatch.setattr(diffusion, "loaded", lambda _key, _load: painter)
    paint(steps=5)
    assert seen == ([1] * 8 if fast else [2, 2, 2, 1, 1])


def test_it_can_be_stopped_at_any_step(cache):
    stop, told = Event(), []

    def on_progress(step):
        told.append(step)
        if "Painting" in step.message and step.done == 2:
            stop.set()

    with pytest.raises(Cancelled):
        make_avatar(PROMPT, engine="diffusion", steps=9, monitor=Monitor(on_progress, stop))
    assert max(step.done for step in told if "Painting" in step.message) == 2
    assert not list(cache.glob("painted/*"))


def test_a_turbo_pipeline_keeps_its_scheduler_and_takes_few_steps(cache, tmp_path, monkeypatch):
    folder = save_painter(tmp_path / "tiny-turbo", turbo=True, half=True)
    monkeypatch.setenv("AVATALK_DIFFUSION", str(folder))
    assert diffusion.find_folder() == folder
    told = []
    with pytest.raises(FaceError):
        make_avatar(PROMPT, engine="diffusion", monitor=Monitor(told.append))
    assert {step.total for step in told if "Painting" in step.message} == {diffusion_convert.FAST_STEPS}
    pipeline = diffusion_torch.load_pipeline(folder, "cpu")
    assert type(pipeline.scheduler).__name__ == "EulerAncestralDiscreteScheduler"


def test_a_pipeline_of_another_kind_paints_in_pytorch(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("AVATALK_DIFFUSION", str(save_xl_painter(tmp_path / "xl")))
    first, _ = paint()
    assert first.shape == (32, 32, 3) and first.std() > 5
    assert np.array_equal(first, paint()[0]) and not np.array_equal(first, paint(seed=4)[0])
    with pytest.raises(UnreadableFile, match="cannot be loaded"):
        index = tmp_path / "xl" / "model_index.json"
        index.write_text(index.read_text().replace("StableDiffusionXLPipeline", "DDPMPipeline"))
        diffusion_torch.load_pipeline(tmp_path / "xl", "cpu")


# --- the words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fast", [True, False])
def test_the_description_comes_first_and_is_wrapped(cache, painter, fast):
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(painter / "tokenizer", local_files_only=True)
    folder = diffusion.find_folder()
    fits = (FastPainter(folder, Monitor()) if fast else diffusion_torch.TorchPainter(folder, "cpu")).fits
    words, cut = wrapped("  a woman\n with red hair ", fits)
    assert words.startswith("a woman with red hair, photograph of one person, head and shoulders")
    assert "mouth closed" in words and "plain background" in words and cut == ""
    long = " ".join(["a man with red hair"] * 14)
    words, cut = wrapped(long, fits)
    assert words.startswith("a man with red hair a man") and words.endswith("plain background")
    assert 70 <= len(tokenizer(words).input_ids) <= 77
    assert cut.endswith("red hair”.") and "too long" in cut
    kept = words.removesuffix(", photograph of one person" + words.partition(", photograph of one person")[2])
    assert f"{kept} {cut.partition('“')[2].removesuffix('”.')}" == long
    assert wrapped("x" * 900, fits)[0].startswith("photograph of one person")
    assert wrapped(long, lambda _: True) == (f"{long}, {wrapped('', fits)[0].removeprefix(', ')}", "")


def test_the_painter_reads_the_tokens_that_the_pipeline_reads(cache, painter):
    from transformers import CLIPTokenizer

    whole = CLIPTokenizer.from_pretrained(painter / "tokenizer", local_files_only=True)
    ours = FastPainter(diffusion.find_folder(), Monitor())._tokenizer
    for text in ("a woman with RED hair, mouth closed", "Zoë's naïve œuvre \n 42!", "", "x " * 200):
        padded = whole(text, padding="max_length", max_length=77, truncation=True).input_ids
        assert ours.encode(text).ids == list(padded), text


def test_what_had_no_room_is_told_also_of_a_kept_picture(cache, lenient):
    lenient(0)
    for _ in range(2):
        monitor = Monitor()
        make_avatar("a man with red hair " * 14, engine="diffusion", steps=2, monitor=monitor)
        assert "too long" in monitor.warnings[0]


# --- looking at it ---------------------------------------------------------------------------------


def test_pictures_without_a_face_are_painted_again_and_then_refused(cache):
    told = []
    with pytest.raises(FaceError) as caught:
        make_avatar(PROMPT, engine="diffusion", steps=2, monitor=Monitor(told.append))
    assert "None of 5 pictures of “a woman with red hair”" in caught.value.message
    assert "No face is seen." in caught.value.message
    assert "--seed" in caught.value.hint and "drawn" in caught.value.hint
    assert caught.value.exit_code == 2
    assert any("try 5 of 5" in step.message for step in told)
    assert len(list(cache.glob("painted/*"))) == 5


def test_a_failing_picture_is_painted_again_from_another_seed(cache, lenient):
    looked = lenient(2)
    monitor = Monitor()
    made = make_avatar(PROMPT, engine="diffusion", seed=5, steps=2, monitor=monitor)
    assert len(looked) == 3 and not np.array_equal(looked[0], looked[1])
    assert np.array_equal(made.picture, looked[2])
    assert (made.seed, made.engine, made.character) == (5, "diffusion", None)
    assert len(monitor.warnings) == 2 and all("No face is seen." in line for line in monitor.warnings)
    looked.clear()
    assert np.array_equal(make_avatar(PROMPT, engine="diffusion", seed=5, steps=2).picture, made.picture)
    looked.clear()
    other = make_avatar(PROMPT, engine="diffusion", seed=6, steps=2).picture
    assert not any(np.array_equal(other, picture) for picture in looked[:2])


def test_the_picture_carries_how_it_was_made(cache, lenient, tmp_path):
    lenient(0)
    made = make_avatar(PROMPT, engine="diffusion", seed=5, steps=2)
    write_made(tmp_path / "a.png", made)
    back = read_made(tmp_path / "a.png")
    assert (back.prompt, back.seed, back.engine) == (PROMPT, 5, "diffusion")
    assert np.array_equal(back.picture, made.picture)


# --- kept ------------------------------------------------------------------------------------------


def test_nothing_is_painted_twice(cache, lenient, monkeypatch):
    lenient(0)
    first = make_avatar(PROMPT, engine="diffusion", steps=2).picture
    with monkeypatch.context() as patch:
        patch.setattr(diffusion, "load_painter", None)
        patch.setattr(diffusion.Diffusion, "paint", None)
        assert np.array_equal(make_avatar(PROMPT, engine="diffusion", steps=2).picture, first)
        with pytest.raises(TypeError):
            make_avatar(PROMPT, engine="diffusion", steps=3)
    folder = diffusion.find_folder()
    before = diffusion.identify(folder)
    os.utime(folder / "unet" / "config.json", (1, 1))
    assert diffusion.identify(folder) != before


def test_a_video_is_painted_once_for_its_preview_and_itself(cache, monkeypatch, tmp_path, painter):
    """The pipeline paints noise; a portrait is put where it is kept."""
    from avatalk.avatars import gallery

    face = gallery.get("ada").picture(512, 512)
    painted = []

    def instead(self, folder, identity, prompt, seed, *rest):
        painted.append(seed)
        return face, ""

    monkeypatch.setattr(diffusion.Diffusion, "paint", instead)
    request = VideoRequest(avatar_prompt=PROMPT, text="Hi.", size="128x128", fps="5", quality="draft")
    shown = preview(request, 0.2)
    result = render(request, tmp_path / "a.mp4")
    render(request, tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert painted == [0]
    assert shown.shape == (128, 128, 3)
    assert result.engines["avatar"] == "diffusion" and result.warnings == []
    assert not any("drawing" in idea for idea in result.better)


# --- weights ---------------------------------------------------------------------------------------


def test_without_weights_the_command_is_named_and_auto_draws(bare, tmp_path):
    with pytest.raises(EngineUnavailable) as caught:
        make_avatar(PROMPT, engine="diffusion")
    assert "avatalk models install diffusion" in caught.value.hint
    assert engines.get("avatar", "auto", takes="words").name == "drawn"
    request = VideoRequest(avatar_prompt=PROMPT, text="Hi.", size="64x64", fps="1", quality="draft")
    result = render(request, tmp_path / "a.mp4")
    assert result.engines["avatar"] == "drawn"
    assert models.folder("diffusion") == models.folder(pipelines.USUAL)
    assert any("avatalk models install diffusion" in idea for idea in result.better)


def test_auto_paints_when_the_weights_are_there(cache):
    assert engines.get("avatar", "auto", takes="words").name == "diffusion"
    row = next(model for model in models.list_models() if model.name == "diffusion:tiny")
    assert row.commercial and "Open-RAIL++-M" in row.licence
    assert models.verify("diffusion:tiny") == []
    weights = models.folder("diffusion:tiny") / "unet" / "diffusion_pytorch_model.safetensors"
    before = weights.read_bytes()
    try:
        weights.write_bytes(before[:-1] + b"?")
        assert models.verify("diffusion:tiny") == ["unet/diffusion_pytorch_model.safetensors"]
    finally:
        weights.write_bytes(before)


def test_a_setting_that_names_nothing(cache, monkeypatch):
    monkeypatch.setenv("AVATALK_DIFFUSION", "/no/such/folder")
    with pytest.raises(UnreadableFile, match="AVATALK_DIFFUSION is /no/such/folder"):
        diffusion.find_folder()
    assert engines.get("avatar", "auto", takes="words").name == "drawn"
    monkeypatch.setenv("AVATALK_DIFFUSION", "someone/other")
    with pytest.raises(EngineUnavailable) as caught:
        diffusion.find_folder()
    assert "avatalk models install diffusion:someone/other" in caught.value.hint
    monkeypatch.setenv("AVATALK_DIFFUSION", "tiny")
    assert diffusion.find_folder() == models.folder("diffusion:tiny")


def test_a_zip_is_imported_under_a_name_and_removed(bare, painter, tmp_path):
    shutil.make_archive(str(tmp_path / "copy"), "zip", painter.parent, painter.name)
    found = models.import_file(tmp_path / "copy.zip", name="diffusion:mine")
    assert found.model == "diffusion:mine" and models.installed("diffusion:mine")
    assert models.verify("diffusion:mine") == []
    folder = models.folder("diffusion:mine")
    assert not (folder / "README.md").exists()
    assert models.remove("diffusion:mine") and not folder.exists()
    assert not models.installed("diffusion:mine")
    assert not list(bare.glob("converted/*"))


def broken(tmp_path, painter, change):
    folder = tmp_path / "broken"
    shutil.copytree(painter, folder)
    change(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: (f / "model_index.json").write_text("{"), "damaged"),
        (lambda f: (f / "model_index.json").write_text('{"a": ["b", "c"]}'), "describes no pipeline"),
        (lambda f: shutil.rmtree(f / "vae"), "lacks its part vae"),
        (
            lambda f: next(f.glob("unet/*.safetensors")).rename(f / "unet" / "diffusion_pytorch_model.bin"),
            "lacks the weights of its unet .* as safetensors",
        ),
    ],
)
def test_broken_pipelines_are_refused_at_import(bare, painter, tmp_path, change, why):
    with pytest.raises(UnreadableFile, match=why):
        models.import_file(broken(tmp_path, painter, change))
    assert not models.installed("diffusion:broken")


def test_a_licence_that_is_not_told_wants_consent(bare, painter, tmp_path):
    folder = broken(tmp_path, painter, lambda f: (f / "README.md").unlink())
    with pytest.raises(CannotRun, match="not told"):
        models.import_file(folder)
    assert models.import_file(folder, accept_licence=True).missing == ()
    (folder / "README.md").write_text(CARD.replace("openrail++", "other\nlicense_name: sai-nc-community"))
    found = models.import_file(folder, name="diffusion:other", accept_licence=True)
    assert "sai-nc-community" in found.what


def test_damaged_weights_are_told(bare, painter, tmp_path, monkeypatch):
    def cut(folder):
        weights = next(folder.glob("text_encoder/*.safetensors"))
        weights.write_bytes(weights.read_bytes()[:2000])

    monkeypatch.setenv("AVATALK_DIFFUSION", str(broken(tmp_path, painter, cut)))
    with pytest.raises(UnreadableFile, match="cannot be loaded"):
        paint()


# --- the hub ---------------------------------------------------------------------------------------


@pytest.fixture
def hub(painter, monkeypatch):
    """A server that gives the pipeline as the hub does, among other files."""
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    server = Server()
    siblings = []
    for path in (p for p in painter.rglob("*") if p.is_file()):
        name = path.relative_to(painter).as_posix()
        entry = {"rfilename": name, "size": path.stat().st_size, "blobId": "x"}
        if path.suffix == ".safetensors":
            entry["lfs"] = {"sha256": checksum(path), "size": entry["size"], "pointerSize": 1}
        siblings.append(entry)
        server.pages[f"/someone/tiny/resolve/main/{name}"] = Page(path.read_bytes())
    junk = ("v2-1.ckpt", "unet/diffusion_pytorch_model.bin", "safety_checker/model.safetensors")
    siblings += [{"rfilename": name, "size": 10**9} for name in junk]
    info = {"id": "someone/tiny", "cardData": {"license": "openrail++"}, "siblings": siblings}
    server.pages["/api/models/someone/tiny"] = Page(json.dumps(info).encode())
    monkeypatch.setattr(pipelines, "Hub", lambda repository: Hub(repository, server.url))
    yield server
    server.close()


def test_a_repository_of_the_hub_is_installed_by_its_name(bare, hub, painter):
    name = "diffusion:someone/tiny"
    assert not models.installed(name)
    monitor = Monitor()
    folder = models.install(name, monitor)
    assert models.installed(name) and models.verify(name) == []
    here = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert "unet/diffusion_pytorch_model.safetensors" in here and not any("safety" in p for p in here)
    assert len(monitor.warnings) == 1 and "model_index.json" in monitor.warnings[0]
    assert ".safetensors" not in monitor.warnings[0]  # the hub publishes their checksums
    assert name in [model.name for model in models.list_models()]
    assert models.one_of("diffusion:") == name and models.lacking("diffusion:") == ""
    assert next(model for model in models.list_models() if model.name == name).commercial
    assert paint()[0].shape == (32, 32, 3)


def test_wrong_weights_from_the_hub_are_refused(bare, hub):
    page = "/someone/tiny/resolve/main/unet/diffusion_pytorch_model.safetensors"
    hub.pages[page] = Page(hub.pages[page].content[:-1] + b"?")
    store = Store(models.MODELS, bare)
    with pytest.raises(CannotRun, match="could not be fetched"):
        store.install("diffusion:someone/tiny")
    assert not store.installed("diffusion:someone/tiny")


def test_half_precision_is_preferred_and_pickles_are_left():
    names = [
        "model_index.json", "README.md", "a.ckpt", "unet/config.json", "unet/d.safetensors",
        "unet/d.fp16.safetensors", "unet/d.bin", "unet/d.non_ema.safetensors", "vae/config.json",
        "vae/d.safetensors", "safety_checker/model.safetensors", "tokenizer/vocab.json",
        "tokenizer/merges.txt", "../x/y.json",
    ]  # fmt: skip
    assert pipelines.wanted(names) == [
        "model_index.json", "tokenizer/merges.txt", "tokenizer/vocab.json", "unet/config.json",
        "unet/d.fp16.safetensors", "vae/config.json", "vae/d.safetensors",
    ]  # fmt: skip


# --- surfaces --------------------------------------------------------------------------------------


def test_the_command_line(cache, tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "avatalk.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    done = run("avatar", PROMPT, "--engine", "diffusion", "--steps", "1", "-o", "a.png")
    assert done.returncode == 2
    assert "None of 5 pictures" in done.stderr and "Traceback" not in done.stderr
    assert (
        "Warning" not in done.stderr and "torchvision" not in done.stderr
    )  # those of the libraries are not the user's
    assert not list(tmp_path.glob("*.png"))


def test_a_plan_is_stopped_while_it_paints(cache):
    stop = Event()

    def on_progress(step):
        if "Painting" in step.message:
            stop.set()

    with pytest.raises(Cancelled):
        plan(VideoRequest(avatar_prompt=PROMPT, text="Hi."), on_progress=on_progress, cancel=stop)
