"""MediaPipe's attention mesh: 478 landmarks of one face in a 192 x 192 crop.

Method: I. Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", 2020.
A trunk gives 468 coarse landmarks, a feature map and a flag for "this is a face". Around the lips and
each eye the coarse landmarks span a turned box; branches look at the features in those boxes and place
the landmarks of their region (and the irises) anew. The file expresses boxes and sampling with operators
of MediaPipe's own; here the plain parts run in LiteRT and those few small affine steps in NumPy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from flatbuffers import flexbuffers

from avatalk.faces.litert import Network, custom_options, cut
from avatalk.media import Float32Array, UInt8Array

INPUT_SIZE = 192
FEATURE_STRIDE = 4  # pixels of the input per cell of the feature map

# Numbers of tensors in the one file whose checksum the manifest holds.
_IMAGE, _FEATURES, _MESH, _FACE_FLAG = 0, 35, 186, 710
_REGIONS = (192, 193, 194)  # operators that span the boxes: lips, left eye, right eye
_CROPS = (199, 200, 201)
_BRANCHES = (684, 687, 693, 690, 696)  # lips, left eye, right eye, left iris, right iris
_REGION_OF_BRANCH = (0, 1, 2, 1, 2)

IRISES = (slice(468, 473), slice(473, 478))
# An iris has no depth of its own: it takes the mean of the lids' (the first 16 points of the eye's region).
_LID_POINTS = 16


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a face that one branch looks at.

    Attributes:
        points: (n,) int: landmarks that the branch places, in its order.
        corners: the two landmarks whose line is the crop's horizontal.
        scale: size of the crop as a multiple of the points' extent, x and y.
        size: width and height of the crop of the feature map.
        angle: radians at which the line of the corners lies in the crop.
    """

    points: Any
    corners: tuple[int, int]
    scale: tuple[float, float]
    size: tuple[int, int]
    angle: float

    @classmethod
    def read(cls, custom: bytes) -> Region:
        """Read the options (FlexBuffers) of a ``Landmarks2TransformMatrix`` operator."""
        options = flexbuffers.GetRoot(bytearray(custom)).Value
        return cls(
            np.array(options["subset_idxs"]),
            (options["left_rotation_idx"], options["right_rotation_idx"]),
            (options["scale_x"], options["scale_y"]),
            (options["output_width"], options["output_height"]),
            options["target_rotation_radians"],
        )

    def matrix(self, points: Float32Array) -> Float32Array:
        """Return the (2, 3) matrix from pixels of the crop to the coordinates of `points` (n, 2)."""
        run, rise = points[self.corners[1]] - points[self.corners[0]]
        turn = self.angle - math.atan2(rise, run)
        cos, sin = math.cos(turn), math.sin(turn)
        upright = np.array([[cos, -sin], [sin, cos]], np.float64)
        turned = points[self.points] @ upright.T
        low, high = turned.min(axis=0), turned.max(axis=0)
        linear = upright.T * ((high - low) * self.scale / self.size)
        centre = upright.T @ ((low + high) / 2)
        shift = centre - linear @ (np.array(self.size) / 2)
        return np.column_stack([linear, shift]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class MeshOutput:
    """What the network says of one crop; all coordinates in pixels of the crop.

    Attributes:
        mesh: (468, 3) float32, coarse; z has the scale of x.
        regions: lips (80, 2), left eye (71, 2), right eye (71, 2) float32.
        irises: left (5, 2), right (5, 2) float32. Left and right are those of the picture.
        face_logit: above 0 when the crop shows a face.
    """

    mesh: Float32Array
    regions: tuple[Float32Array, ...]
    irises: tuple[Float32Array, ...]
    face_logit: float


class AttentionMesh:
    """The network, in two parts, with the steps between them.

    Args:
        model: content of ``face_landmark_with_attention.tflite``.
    """

    def __init__(self, model: bytes) -> None:
        self._trunk = Network(cut(model, [_IMAGE], [_MESH, _FEATURES, _FACE_FLAG]))
        self._branches = Network(cut(model, _CROPS, _BRANCHES))
        self._regions = tuple(Region.read(custom_options(model, operator)) for operator in _REGIONS)

    def run(self, crop: UInt8Array) -> MeshOutput:
        """Run the network on a (192, 192, 3) uint8 RGB crop."""
        mesh, features, flag = self._trunk(crop[None].astype(np.float32) / np.float32(255))
        mesh = mesh.reshape(468, 3)
        cells = mesh[:, :2] / np.float32(FEATURE_STRIDE)
        matrices = [region.matrix(cells) for region in self._regions]
        crops = [
            sample(features[0], matrix, region.size)[None]
            for matrix, region in zip(matrices, self._regions, strict=True)
        ]
        placed = [
            transform(points.reshape(-1, 2), _to_pixels(matrices[k]))
            for points, k in zip(self._branches(*crops), _REGION_OF_BRANCH, strict=True)
        ]
        return MeshOutput(mesh, tuple(placed[:3]), tuple(placed[3:]), float(flag.item()))

    def landmarks(self, output: MeshOutput) -> Float32Array:
        """Return the (478, 3) landmarks in pixels of the crop: coarse ones, refined where a branch did."""
        points = np.empty((478, 3), np.float32)
        points[:468] = output.mesh
        for region, refined in zip(self._regions, output.regions, strict=True):
            points[region.points, :2] = refined
        for which, region, iris in zip(IRISES, self._regions[1:], output.irises, strict=True):
            points[which, :2] = iris
            points[which, 2] = output.mesh[region.points[:_LID_POINTS], 2].mean()
        return points


def transform(points: Float32Array, matrix: Float32Array) -> Float32Array:
    """Apply a (2, 3) affine matrix to (n, 2) points."""
    moved: Float32Array = points @ matrix[:, :2].T + matrix[:, 2]
    return moved


def sample(features: Float32Array, matrix: Float32Array, size: tuple[int, int]) -> Float32Array:
    """Crop a feature map bilinearly; outside of it are zeros.

    Args:
        features: (height, width, channels).
        matrix: (2, 3), from coordinates of the crop to those of the map, both with the centre of the first
            cell at (0.5, 0.5).
        size: width and height of the crop.
    """
    height, width = features.shape[:2]
    x, y = np.meshgrid(np.arange(size[0]) + np.float32(0.5), np.arange(size[1]) + np.float32(0.5))
    places = transform(np.stack([x.ravel(), y.ravel()], axis=1), matrix) - np.float32(0.5)
    first = np.floor(places).astype(np.int64)
    part = (places - first).astype(np.float32)
    result = np.zeros((len(places), features.shape[2]), np.float32)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column, row = first[:, 0] + dx, first[:, 1] + dy
        weight = (part[:, 0] if dx else 1 - part[:, 0]) * (part[:, 1] if dy else 1 - part[:, 1])
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        values = features[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
        result += values * (weight * inside)[:, None]
    return result.reshape(size[1], size[0], -1)


def _to_pixels(matrix: Float32Array) -> Float32Array:
    """Stretch a matrix into cells of the feature map to pixels; the branches count in pixels already."""
    stretched = matrix.copy()
    stretched[:, 2] *= FEATURE_STRIDE
    return stretched
