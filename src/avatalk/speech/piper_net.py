"""The network of a Piper voice (VITS), run by OpenVINO.

Two things are changed in its graph. Its noise comes from random numbers that are drawn anew at each run;
here they are drawn once and for all, so that the same words make the same sound. And the frames that each
symbol lasts, which the graph rounds up on its way, are stretched only after that, so that twice the speed is
half the time, and given out: the exact times of the phonemes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from avatalk.errors import CannotRun
from avatalk.media import Float32Array
from avatalk.models.runtime import converted, require

_DRAWN = (1 << 18) - 5  # a prime, so that no row of a picture of noise is like the one before
_SEED = 20

Int64Array = npt.NDArray[np.int64]
Run = Callable[[Int64Array, tuple[float, float, float], float, int], tuple[Float32Array, Int64Array | None]]


def load(path: Path) -> Run:
    """Return the network, ready to run from any thread.

    Args:
        path: of ``NAME.onnx``.

    Returns:
        A function of symbols (n,) int64; of the noise's scale, the length's, and that of the noise in the
        lengths; of the factor on the time that all of it takes; and of the speaker's number, which voices
        with one speaker ignore. It gives (samples,) float32 sound, and (n,) int64 frames per symbol, None if
        the graph does not tell.

    Raises:
        EngineUnavailable: OpenVINO is not installed.
        CannotRun: it cannot run this network.
    """
    ov = require("openvino", "piper")
    core = ov.Core()
    # float32: in bfloat16 the lengths would be rounded, and a hiss be heard.
    options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    # Else code and weights laid out for every length of a sentence are kept: 2 GB after 60 sentences.
    options["CPU_RUNTIME_CACHE_CAPACITY"] = "0"
    options["CACHE_DIR"] = str(converted(path, "any").parent)
    try:
        model = core.read_model(path)
        _still_noise(model)
        tells = _stretch_and_tell(model)
        compiled = core.compile_model(model, "CPU", options)
    except RuntimeError as error:
        raise _failed(path, error) from error
    takes_speaker = len(compiled.inputs) - tells > 3
    request, alone = compiled.create_infer_request(), Lock()

    def run(
        symbols: Int64Array, scales: tuple[float, float, float], stretch: float, speaker: int
    ) -> tuple[Float32Array, Int64Array | None]:
        noise, length, unevenness = scales
        scale = np.array([noise, length if tells else length * stretch, unevenness], np.float32)
        inputs: list[Any] = [symbols[None], np.array([len(symbols)]), scale]
        if takes_speaker:
            inputs.append(np.array([speaker]))
        if tells:
            inputs.append(np.array(stretch, np.float32))
        try:
            with alone:
                results = [np.array(result) for result in request.infer(inputs).values()]
        except RuntimeError as error:
            raise _failed(path, error) from error
        frames = results[1].reshape(-1).astype(np.int64) if tells else None
        return results[0].reshape(-1).astype(np.float32), frames

    return run


def _still_noise(model: Any) -> None:
    """Put fixed numbers in the place of every source of chance, of whatever shape."""
    op = require("openvino.opset13", "piper")
    drawn = np.random.Generator(np.random.PCG64(_SEED))
    sources = [node for node in model.get_ordered_ops() if node.get_type_name() == "RandomUniform"]
    for node in sources:
        # Within 0 and 1, both excluded: the graph makes normal noise of it, by logarithm and cosine.
        numbers = op.constant(drawn.integers(1, 1 << 23, _DRAWN).astype(np.float32) / np.float32(1 << 23))
        shape = op.convert(node.input_value(0), "i64")
        count = op.reduce_prod(shape, op.constant(np.array([0])), keep_dims=False)
        index = op.range(op.constant(np.int64(0)), count, op.constant(np.int64(1)), "i64")
        around = op.floor_mod(index, op.constant(np.int64(_DRAWN)))
        still = op.reshape(op.gather(numbers, around, op.constant(np.int64(0))), shape, special_zero=False)
        for user in list(node.output(0).get_target_inputs()):
            user.replace_source_output(still.output(0))


def _stretch_and_tell(model: Any) -> bool:
    """Make a factor on the frames per symbol the last input, and them an output; return if it worked.

    Where symbols end is what is rounded, so nothing adds up.
    """
    found = [node for node in model.get_ordered_ops() if node.get_type_name() == "Ceiling"]
    if len(found) != 1:
        return False
    op = require("openvino.opset13", "piper")
    own = found[0].output(0)
    users = list(own.get_target_inputs())
    stretch = op.parameter([], np.float32, name="stretch")
    last = op.constant(np.int64(-1))
    before, after = (
        op.round(op.multiply(op.cum_sum(own, last, exclusive=exclusive), stretch))
        for exclusive in (True, False)
    )
    frames = op.subtract(after, before)
    for user in users:
        user.replace_source_output(frames.output(0))
    model.add_parameters([stretch])
    model.add_outputs([frames.output(0)])
    return True


def _failed(path: Path, error: RuntimeError) -> CannotRun:
    last = str(error).strip().splitlines()[-1]
    return CannotRun(
        f"The Piper voice {path.stem} cannot be run: {last}",
        hint=f"Check it with `avatalk models verify piper:{path.stem}`, or choose another voice.",
        stage="speech",
        field="voice",
    )
