"""Stage 5: who stands where, before what, under which captions and overlays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from avatalk import engines
from avatalk.compose.layout import (
    Layout,
    MovedFaces,
    canvas_size,
    cover,
    even,
    frame_person,
    lay_out,
    place,
    stand,
)
from avatalk.compose.wish import Ground, read_ground, read_overlay
from avatalk.events import Monitor
from avatalk.lipsync.base import Animation, Shot
from avatalk.media import Avatar, Cue, FaceTrack, MotionCurve, Speech, UInt8Array, VisemeCurve
from avatalk.request import VideoRequest
from avatalk.stages import Faces, edit_of

if TYPE_CHECKING:
    from avatalk.compose.backdrop import Backdrop
    from avatalk.compose.matting import Matting

_SMOOTH = 0.3  # strength of a blur that leaves no detail
_CLOSE = {"source": 1.0, "bust": 1.0, "head": 1.45}


class Layer(Protocol):
    """Something laid over every frame."""

    def over(self, frame: UInt8Array, index: int) -> UInt8Array:
        """Lay it over frame `index`, RGB or premultiplied RGBA, in place, and return it."""

    def traces(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield what frames `start` to `stop` - 1 show of it, if that is not the same in every frame."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What stage 5 makes.

    Attributes:
        shot: for the engine of stage 4.
        backdrop: what its frames, RGBA then, are laid on; None where they are complete, or stay transparent.
        layers: laid over the frames, in this order.
        captions: in time order.
        matting: engine that cut the person out; empty if nobody was.
    """

    shot: Shot
    backdrop: Backdrop | None = None
    layers: tuple[Layer, ...] = ()
    captions: tuple[Cue, ...] = ()
    matting: str = ""

    def one_by_one(self, animation: Animation) -> bool:
        """Whether a frame alone costs no more than a frame of a long range."""
        return animation.one_by_one and (self.backdrop is None or self.backdrop.one_by_one)

    @property
    def transparent(self) -> bool:
        """Whether frames are premultiplied RGBA."""
        return self.shot.cut_out and self.backdrop is None

    def frames(self, animation: Animation, start: int, stop: int) -> Iterator[UInt8Array]:
        """Yield frames `start` to `stop` - 1 of the video, see `avatalk.pipeline.Plan.frames`."""
        frames = animation.frames(start, stop)
        if self.backdrop is not None:
            from avatalk.compose.layers import before

            frames = before(self.backdrop.pictures(start, stop), frames)
        return self._under_layers(frames, start) if self.layers else frames

    def traces(self, animation: Animation, start: int, stop: int) -> list[bytes] | None:
        """What frames `start` to `stop` - 1 depend on besides the request without its words.

        Stretches with the same traces have the same frames, wherever they lie. None where that is not known:
        each frame of a clip is another picture, and networks look at more than a frame.
        """
        if self.backdrop is not None or self.shot.pictures is not None or not animation.by_rows:
            return None
        rows = [curve.values[start:stop].tobytes() for curve in (self.shot.visemes, self.shot.motion)]
        return [*rows, *(trace for layer in self.layers for trace in layer.traces(start, stop))]

    def _under_layers(self, frames: Iterator[UInt8Array], start: int) -> Iterator[UInt8Array]:
        for index, frame in enumerate(frames, start):
            for layer in self.layers:
                frame = layer.over(frame, index)
            yield frame


def check_scene(request: VideoRequest, monitor: Monitor) -> None:
    """Refuse what could not be composed, before any work is done.

    Raises:
        UnreadableFile: a background or an overlay cannot be used.
        EngineUnavailable: no font has the letters of the captions, or the matting cannot run here.
    """
    ground = read_ground(request.background)
    if ground.kind == "file":
        from avatalk.compose.backdrop import open_backdrop

        open_backdrop(ground, (64, 64), request.fit, Fraction(25), 1, Monitor())
    if request.overlay is not None:
        from avatalk.compose.layers import OverlayLayer

        OverlayLayer(read_overlay(request.overlay), 64, 64)
    if request.matting != "auto":
        engines.get("compose", request.matting).load()
    if "burn" in request.captions and request.text is not None:
        from avatalk.compose.captioning import check_letters

        check_letters(request.text, request.language or "", monitor)


def set_scene(
    request: VideoRequest,
    avatar: Avatar,
    faces: Faces | None,
    source: npt.NDArray[np.int64] | None,
    speech: Speech,
    fps: Fraction,
    curves: tuple[VisemeCurve, MotionCurve],
    monitor: Monitor,
) -> Scene:
    """Place everything on the canvas; a drawn avatar fills any canvas by itself."""
    ground = read_ground(request.background)
    visemes, motion = curves
    shot = Shot(avatar, None, visemes, motion, 0, 0, request.seed, speech.audio, fps)
    if avatar.picture is None or faces is None:
        scene = _drawn_scene(request, shot, ground, monitor)
    else:
        scene = _pictured_scene(request, shot, avatar.picture, faces, source, ground, monitor)
    captions, layers = _layers(request, speech, scene.shot, monitor)
    return replace(scene, captions=captions, layers=layers)


def _drawn_scene(request: VideoRequest, shot: Shot, ground: Ground, monitor: Monitor) -> Scene:
    """A drawn avatar has exact edges: it is drawn before a still background, or alone."""
    width, height = even(request.size or canvas_size(request.aspect, request.quality))
    shot = replace(shot, width=width, height=height, close=_CLOSE[request.frame])
    if ground.kind == "blur":
        monitor.warn("The wall behind a drawn avatar is plain: --background blur has no effect.")
    if ground.kind in ("keep", "blur"):
        return Scene(shot)
    if ground.kind == "transparent":
        return Scene(replace(shot, cut_out=True))
    return _before(_opened(request, ground, shot, monitor), replace(shot, cut_out=True))


def _pictured_scene(
    request: VideoRequest,
    shot: Shot,
    picture: UInt8Array,
    faces: Faces,
    source: npt.NDArray[np.int64] | None,
    ground: Ground,
    monitor: Monitor,
) -> Scene:
    height, width = picture.shape[:2]
    layout = lay_out(width, height, request.size, request.aspect, request.quality)
    face = next(filter(None, faces.track.faces), None)
    if request.frame != "source" and face is not None:
        alone = ground.kind not in ("keep", "blur")
        layout = frame_person(layout, width, height, face, request.frame, alone=alone)
    matting: Matting | None = None
    if ground.kind != "keep":
        if shot.avatar.cutout is None:
            matting = engines.get("compose", request.matting).load().configured(request.device, monitor)
        layout = stand(layout, height)
    shot = replace(
        shot,
        track=FaceTrack(MovedFaces(layout, faces.track.faces)),
        boxes=faces.boxes and tuple(box and layout.move_box(box) for box in faces.boxes),
        width=layout.width,
        height=layout.height,
        source=source,
        cut_out=ground.kind == "transparent" or (source is None and ground.kind != "keep"),
    )
    if source is not None:
        return _clip_scene(request, shot, layout, ground, matting, monitor)
    if matting is not None:
        cut, by = matting.cut(picture), matting.name
    elif shot.avatar.cutout is not None and shot.cut_out:
        cut, by = shot.avatar.cutout, "own alpha"
    else:
        return Scene(_showing(shot, place(picture, layout)))
    room = cover(layout, width, height)
    behind, cut = place(cut, room)[..., 3], place(cut, layout)
    shot = _showing(shot, cut)
    if ground.kind == "transparent":
        return Scene(shot, matting=by)
    from avatalk.avatars.cutout import laid
    from avatalk.compose.backdrop import Still, blurred

    if ground.kind == "blur":
        backdrop: Backdrop = Still(blurred(place(picture, room), ground.strength, behind))
    else:
        backdrop = _opened(request, ground, shot, monitor)
    smooth = ground.kind in ("colour", "gradient") or ground.strength >= _SMOOTH
    if isinstance(backdrop, Still) and (smooth or request.still):
        # Nobody sees a smooth ground move a few pixels with the head: laid once, it costs nothing per frame.
        return Scene(_showing(replace(shot, cut_out=False), laid(cut, backdrop.picture)), matting=by)
    return _before(backdrop, shot, by)


def _clip_scene(
    request: VideoRequest,
    shot: Shot,
    layout: Layout,
    ground: Ground,
    matting: Matting | None,
    monitor: Monitor,
) -> Scene:
    """Somebody in a clip keeps his own motion, so every picture is composed before the lips are redrawn."""
    clip, source, edit = shot.avatar.clip, shot.source, edit_of(request)
    assert clip is not None
    assert source is not None
    backdrop = None
    if ground.kind not in ("keep", "blur", "transparent"):
        backdrop = _opened(request, ground, shot, monitor)

    def read(numbers: Sequence[int]) -> Iterator[UInt8Array]:
        return map(edit, clip.frames(numbers))

    def pictures(start: int, stop: int) -> Iterator[UInt8Array]:
        numbers = source[start:stop].tolist()
        if matting is None:
            yield from (place(picture, layout) for picture in read(numbers))
            return
        from avatalk.avatars.cutout import laid
        from avatalk.compose.backdrop import blurred

        grounds = None if backdrop is None else backdrop.pictures(start, stop)
        for picture, cut in matting.cut_clip(read, numbers, len(clip)):
            person = place(cut, layout)
            if ground.kind == "blur":
                room = cover(layout, *picture.shape[1::-1])
                behind = person if room is layout else place(cut, room)
                yield laid(person, blurred(place(picture, room), ground.strength, behind[..., 3]))
            else:
                yield person if grounds is None else laid(person, next(grounds))

    if matting is not None:
        _check_seen(matting, shot, read)
    first = next(pictures(0, 1))
    return Scene(
        replace(_showing(shot, first), pictures=pictures), matting="" if matting is None else matting.name
    )


def _check_seen(matting: Matting, shot: Shot, read: Callable[[Sequence[int]], Iterator[UInt8Array]]) -> None:
    """Refuse a clip in which nobody is found even where a face is."""
    assert shot.track is not None
    assert shot.source is not None
    faces = shot.track.faces
    seen = next((number for number in shot.source.tolist() if faces[number] is not None), None)
    if seen is not None:
        matting.cut(next(read([seen])))


def _before(backdrop: Backdrop, shot: Shot, matting: str = "") -> Scene:
    """Somebody who was cut out, before a background; one that stands still is drawn along, once."""
    from avatalk.compose.backdrop import Still

    if isinstance(backdrop, Still):
        return Scene(replace(shot, backdrop=backdrop.picture, cut_out=False), matting=matting)
    return Scene(shot, backdrop, matting=matting)


def _showing(shot: Shot, picture: UInt8Array) -> Shot:
    return replace(shot, avatar=replace(shot.avatar, picture=picture))


def _opened(request: VideoRequest, ground: Ground, shot: Shot, monitor: Monitor) -> Backdrop:
    from avatalk.compose.backdrop import open_backdrop

    size = shot.width, shot.height
    return open_backdrop(ground, size, request.fit, shot.fps, shot.n_frames, monitor)


def _layers(
    request: VideoRequest, speech: Speech, shot: Shot, monitor: Monitor
) -> tuple[tuple[Cue, ...], tuple[Layer, ...]]:
    """The captions, and what is laid over the frames: an overlay, and above it captions that are drawn."""
    layers: list[Layer] = []
    if request.overlay is not None:
        from avatalk.compose.layers import OverlayLayer

        layers.append(OverlayLayer(read_overlay(request.overlay), shot.width, shot.height))
    if not request.captions:
        return (), tuple(layers)
    from avatalk.compose.captioning import burned, find_cues

    cues = find_cues(speech, monitor)
    if "burn" in request.captions:
        faces = None if shot.track is None else shot.track.faces
        layer = burned(speech, faces, (shot.width, shot.height), shot.fps, monitor)
        layers += [] if layer is None else [layer]
    return cues, tuple(layers)
