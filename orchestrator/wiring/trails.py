"""Which trail a workspace has, and opening it."""

from orchestrator.adapters.place import Place
from orchestrator.core.settings import TrailMode, TrailSettings
from orchestrator.ports import Trail


def open_trail(place: Place, settings: TrailSettings) -> tuple[Trail, list[str]]:
    """The trail, ready, and what had to be mended for it."""
    if place.git_dir is None or settings.mode is TrailMode.NONE:
        from orchestrator.adapters.trail.none import NoTrail

        place.work.mkdir(parents=True, exist_ok=True)
        return NoTrail(), []
    if settings.mode is TrailMode.TRACKED:
        from orchestrator.adapters.tracked import open_tracked

        return open_tracked(place, settings)
    from orchestrator.adapters.trail.own import open_own

    return open_own(place, settings)
