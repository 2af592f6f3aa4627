"""The cheapest way of a sound through the states of a text: dynamic programming in memory that does not grow.

It is the dynamic time warping of H. Sakoe and S. Chiba (1978) with a state of silence, which may be passed
over, before every word; a word may be left out at a price. States far behind or ahead of the best way are
dropped (beam search); ways are settled as soon as all that are still alive share their beginning.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from avatalk.media import Float32Array

Int32Array = npt.NDArray[np.int32]

BLOCK = 100  # frames between prunings
_FARTHEST = 3  # states a way may advance per frame
_WARP = 2.0  # price of a frame that stands still or skips one: pace differs, but not from frame to frame
_SCALE = 12.0  # squared distance that counts as one
_SILENT = 2.0  # what silence costs where the sound is silent; a sound that fits costs about one
_BEAM = 900.0
_WIDEST = 6000  # states alive
_SETTLE = 20  # blocks between attempts to settle
_LONGEST = 120  # blocks that may stay open; then the best way wins
_UNSAID, _UNSAID_FRAME = 10.0, 0.6  # price of a word that is not in the sound, and of each of its states
_LONGEST_WORD = 255  # states
_NEVER = np.float32(1e9)
_GIVE_UP = 600.0  # a text that ends this much dearer than it breaks off is not spoken to its end


@dataclass(frozen=True, slots=True)
class _Block:
    """Steps of some frames: (frames, states) uint8, how many states back each came from."""

    first: int
    steps: npt.NDArray[np.uint8]


@dataclass(slots=True)
class Trellis:
    """Feed states with `extend` while it `wants` some, frames with `step`; then ask for the `way`.

    Attributes:
        price: of the best way so far.
        price_of_silence: what staying silent all the time would have cost.
    """

    price: float = 0.0
    price_of_silence: float = 0.0
    _first: int = 0  # number of the first state held
    _features: Float32Array = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    _silent: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    _cost: Float32Array = field(default_factory=lambda: np.zeros(1, np.float32))  # of the states alive
    _open: deque[_Block] = field(default_factory=deque)
    _settled: list[Int32Array] = field(default_factory=list)
    _ended: bool = False

    @property
    def wants(self) -> bool:
        """Whether states are needed before the next `step`."""
        return not self._ended and len(self._silent) < self._reach(BLOCK)

    def extend(self, features: Float32Array, silent: npt.NDArray[np.bool_]) -> None:
        """Append states.

        Args:
            features: (states, n) float32; of a silent state they do not matter.
            silent: (states,) bool; the very first is, and never two in a row. None at all: the text ends.
        """
        if not len(silent):
            self._ended = True
            return
        held = self._features if len(self._silent) else features[:0]
        self._features = np.concatenate([held, features])
        self._silent = np.concatenate([self._silent, silent])

    def step(self, frames: Float32Array, speech: Float32Array) -> None:
        """Go on by at most `BLOCK` frames.

        Args:
            frames: (frames, n) float32.
            speech: (frames, 2) float32: what it costs to hold each for speech, and for silence.
        """
        width = min(self._reach(len(frames)), len(self._silent))
        silent, features = self._silent[:width], self._features[:width]
        squared = (frames**2).sum(axis=1)[:, None] + (features**2).sum(axis=1) - 2 * frames @ features.T
        local = np.maximum(squared, 0.0) / _SCALE + speech[:, :1]
        quiet = _SILENT + speech[:, 1]
        local[:, silent] = quiet[:, None]
        stay, tolls = _tolls(silent)
        cost = np.full(width, _NEVER, np.float32)
        cost[: len(self._cost)] = self._cost
        before, after = _words(silent)
        word = (after - before).astype(np.uint8)
        unsaid = np.float32(_UNSAID) + np.float32(_UNSAID_FRAME) * word
        steps = np.zeros((len(frames), width), np.uint8)
        for here, chosen in zip(local, steps, strict=True):
            best = cost + stay
            for far, toll in enumerate(tolls, start=1):
                by = cost[:-far] + toll
                better = by < best[far:]
                np.copyto(best[far:], by, where=better)
                np.copyto(chosen[far:], far, where=better)
            by = cost[before] + unsaid
            better = by < best[after]
            best[after[better]] = by[better]
            chosen[after[better]] = word[better]
            cost = best + here
        self._open.append(_Block(self._first, steps))
        self.price_of_silence += float(quiet.sum())
        self._prune(cost)
        if len(self._open) % _SETTLE == 0:
            self._settle()

    def way(self) -> Int32Array:
        """(frames,) int32: the state of every frame; call it once, at the end."""
        whole = self._ended and len(self._cost) == len(self._silent)
        last = min(len(self._cost), 2)
        end = len(self._cost) - last + int(self._cost[-last:].argmin())
        if not whole or self._cost[end] > _GIVE_UP:
            end = int(self._cost.argmin())
        self.price += float(self._cost[end])
        self._commit(len(self._open), self._first + end)
        return np.concatenate([np.zeros(0, np.int32), *self._settled])

    def _reach(self, frames: int) -> int:
        """How many states ways may come to in some frames: by leaving words out, as far as the beam goes."""
        skipped = (_BEAM - np.minimum(self._cost, _BEAM)) / _UNSAID_FRAME
        return int((np.arange(1, len(skipped) + 1) + skipped).max()) + _FARTHEST * frames

    def _prune(self, cost: Float32Array) -> None:
        """Keep the states that are near the best one."""
        best = float(cost.min())
        alive = np.flatnonzero(cost < best + _BEAM)
        middle = int(cost.argmin())
        start = max(int(alive[0]), middle - _WIDEST // 2)
        stop = min(int(alive[-1]) + 1, middle + _WIDEST // 2)
        self.price += best
        self._cost = cost[start:stop] - np.float32(best)
        self._features, self._silent = self._features[start:], self._silent[start:]
        self._first += start

    def _settle(self) -> None:
        """Commit the blocks on which all living ways agree; too old ones, as the best way has it."""
        living = self._first + np.flatnonzero(self._cost < _NEVER)
        ancestors = living
        for index in range(len(self._open) - 1, -1, -1):
            if ancestors[0] == ancestors[-1]:
                self._commit(index + 1, int(ancestors[0]))
                return
            ancestors = _back(self._open[index], ancestors)[0]
            if index == len(self._open) - _LONGEST // 2 and len(self._open) >= _LONGEST:
                mine = ancestors[int(self._cost[living - self._first].argmin())]
                self._cost[living[ancestors != mine] - self._first] = _NEVER
                self._commit(index, int(mine))
                return

    def _commit(self, blocks: int, state: int) -> None:
        """Settle the first open `blocks`, of which the last ends in `state`."""
        ways = []
        for index in range(blocks - 1, -1, -1):
            before, way = _back(self._open[index], np.array([state]))
            state = int(before[0])
            ways.append(way[:, 0])
        self._settled.extend(reversed(ways))
        for _ in range(blocks):
            self._open.popleft()


def _back(block: _Block, states: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Int32Array]:
    """From states at the end of a block to those before its first frame, and all on the way, (frames, n)."""
    way = np.empty((len(block.steps), len(states)), np.int32)
    for frame in range(len(block.steps) - 1, -1, -1):
        way[frame] = states
        states = states - block.steps[frame, states - block.first]
    return states, way


def _tolls(silent: npt.NDArray[np.bool_]) -> tuple[Float32Array, tuple[Float32Array, ...]]:
    """What it costs to stay in each state, and to come to it from one, two and three states before."""
    passed = np.where(silent, 0.0, _WARP).astype(np.float32)  # price of passing over a state
    one = np.zeros(len(silent) - 1, np.float32)
    return passed, (one, passed[1:-1], passed[1:-2] + passed[2:-1])


def _words(silent: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The silent states before and after every word that can be left out."""
    at = np.flatnonzero(silent)
    short = np.diff(at) <= _LONGEST_WORD
    return at[:-1][short], at[1:][short]
