"""The numbered steps of the straight path, in order. A daemon that dies at any of them loses nothing."""

from enum import StrEnum


class Step(StrEnum):
    """A point between two effects. `pipeline` and `registrar` pass each as they go; tests kill the daemon there."""

    CLAIM_INTENDED = "claim.intended"
    CLAIM_ANNOUNCED = "claim.announced"
    CLAIM_MOVED = "claim.moved"
    CLAIM_WRITTEN = "claim.written"
    CLAIM_RECORDED = "claim.recorded"
    START_INTENDED = "start.intended"
    START_ANNOUNCED = "start.announced"
    START_WRITTEN = "start.written"
    START_RECORDED = "start.recorded"
    RUN_ENDED = "run.ended"
    RUN_TOLD = "run.told"
    RUN_ANNOUNCED = "run.announced"
    WORK_COMMITTED = "work.committed"
    AGAIN_INTENDED = "again.intended"
    AGAIN_ANNOUNCED = "again.announced"
    AGAIN_WRITTEN = "again.written"
    AGAIN_RECORDED = "again.recorded"
    HANDED_OFF = "hand_off.done"
    LOG_WRITTEN = "log.written"
    CLOSE_INTENDED = "close.intended"
    CLOSE_ANNOUNCED = "close.announced"
    CLOSE_WRITTEN = "close.written"
    CLOSE_MOVED = "close.moved"
    CLOSE_RECORDED = "close.recorded"
    WORKSPACE_DUE = "workspace.due"
