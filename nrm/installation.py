"""The running installation: its settings and its clock; with `db` the only state that a whole process shares."""

from __future__ import annotations

from dataclasses import dataclass

from nrm.clock import Clock, MovableClock, SystemClock
from nrm.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What every action and job may ask for without being told.

    Attributes:
        config: the settings.
        clock: the time; movable in demo mode only.
    """

    config: Config
    clock: Clock


_state: dict[str, Installation] = {}


def install(config: Config, clock: Clock | None = None) -> Installation:
    """Make this the process's installation.

    Args:
        config: the settings.
        clock: another clock than the settings ask for (tests).
    """
    if clock is None:
        clock = MovableClock(config.data_dir / "demo-clock") if config.demo else SystemClock()
    installation = Installation(config=config, clock=clock)
    _state["current"] = installation
    return installation


def installation() -> Installation:
    """Give the process's installation.

    Raises:
        RuntimeError: when `install` was not called: the program was started in a wrong way.
    """
    try:
        return _state["current"]
    except KeyError:
        raise RuntimeError("no installation: create the application first") from None
