"""Which trail a workspace has, and opening it."""

from orchestrator.adapters.place import Place
from orchestrator.core.settings import TrailMode, TrailSettings
from orchestrator.ports import Trail


def open_trail(place: Place, settings: TrailSettings, told: list[str]) -> Trail:
    """The trail, with the work folder there; `told` gets what had to be mended. Its `recover` comes next."""
    if place.git_dir is None or settings.mode is TrailMode.NONE:
        from orchestrator.adapters.trail.none import NoTrail

        place.work.mkdir(parents=True, exist_ok=True)
        return NoTrail()
    if settings.mode is TrailMode.TRACKED:
        from orchestrator.adapters.tracked import TrackedTrail

        place.work.mkdir(parents=True, exist_ok=True)
        return TrackedTrail(place, settings)
    from orchestrator.adapters.trail.own import OwnTrail

    trail = OwnTrail(place, settings)
    told.extend(trail.prepare())
    return trail
