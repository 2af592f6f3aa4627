"""Every state of the studio that somebody can meet: a function for each, which leads a first visit there."""

from studio_states import avatar, speech, video, views  # noqa: F401 - which fill STATES
from studio_states.steps import STATES

__all__ = ["STATES"]
