"""Weights made from the names of a network's tensors: parity with the original needs no real ones."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"


def filled_tensor(name, shape):
    """The float32 array of `shape` (an int64 scalar for a counter) for the state-dict key `name`."""
    seed = int.from_bytes(sha256(name.encode()).digest()[:8], "little")
    rng = np.random.Generator(np.random.PCG64(seed))
    if name.endswith("num_batches_tracked"):
        return np.array(1, np.int64)
    if name.endswith("running_var"):
        return rng.uniform(0.6, 1.4, shape).astype(np.float32)
    if name.endswith(("running_mean", "bias")):
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)
    if len(shape) == 1:
        return rng.uniform(0.8, 1.2, shape).astype(np.float32)
    return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def keys(network):
    """Names and shapes of every tensor of the original's checkpoint: ``"wav2lip"`` or ``"s3fd"``."""
    return {
        name: tuple(shape) for name, shape in json.loads((DATA / f"{network}_keys.json").read_text()).items()
    }


def state_dict(network):
    """Every tensor of the checkpoint as a torch tensor."""
    import torch

    return {name: torch.from_numpy(filled_tensor(name, shape)) for name, shape in keys(network).items()}


def golden(name):
    """The arrays of ``tests/data/<name>.npz``, numbers that the original code gave."""
    with np.load(DATA / f"{name}.npz") as file:
        return dict(file)
