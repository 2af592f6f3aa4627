"""The one list of models: files, sizes, checksums, sources in the order in which they are tried, licences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A source: files that lie inside a published wheel, fetched with pip and never installed.

    pip honours the index, proxy and certificate settings of the machine.

    Attributes:
        requirement: name and exact version.
        bytes: size of the wheel, for the progress line.
        python_version: of the wheel to take; it need not be the running one.
        platform: of the wheel to take, likewise.
    """

    requirement: str
    bytes: int
    python_version: str
    platform: str


@dataclass(frozen=True, slots=True)
class Web:
    """A source: every file at `prefix` + its name."""

    prefix: str


Source = Wheel | Web


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: in the cache folder, and at a `Web` source.
        bytes: exact size.
        sha256: lower-case hexadecimal.
        member: path inside a `Wheel`.
    """

    name: str
    bytes: int
    sha256: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """One model, which may have several files.

    Attributes:
        name: what ``avatalk models install NAME`` takes.
        title: one line for people.
        stage: that uses it, one of `avatalk.events.STAGES`.
        engine: that uses it.
        licence: SPDX name, or the licence's own.
        commercial: whether the licence allows commercial use.
        files: all of them are needed.
        sources: tried in this order.
    """

    name: str
    title: str
    stage: str
    engine: str
    licence: str
    commercial: bool
    files: tuple[ModelFile, ...]
    sources: tuple[Source, ...]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files)


FACE_DETECTOR = "face_detection_full_range_sparse.tflite"
FACE_MESH = "face_landmark_with_attention.tflite"

MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="face",
            title="MediaPipe face detector (full range) and attention mesh",
            stage="face",
            engine="mediapipe",
            licence="Apache-2.0",
            commercial=True,
            files=(
                ModelFile(
                    FACE_DETECTOR,
                    676746,
                    "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
                    f"mediapipe/modules/face_detection/{FACE_DETECTOR}",
                ),
                ModelFile(
                    FACE_MESH,
                    2495106,
                    "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
                    f"mediapipe/modules/face_landmark/{FACE_MESH}",
                ),
            ),
            sources=(
                Wheel("mediapipe==0.10.21", 35_622_638, "3.11", "manylinux_2_28_x86_64"),
                Web("https://storage.googleapis.com/mediapipe-assets/"),
            ),
        ),
    )
}
