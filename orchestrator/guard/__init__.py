"""The guard: one small process for each invocation, which outlives the daemon and ends what the tool started.

It is forked by a bare interpreter (`zygote`) and must stay quick to start and small: nothing here imports anything of
the package but its own modules, nor `dataclasses`, `typing`, `pathlib`, `subprocess` or `socket`, which together cost
more than all that is used. Paths are bytes, as the system has them.
"""
