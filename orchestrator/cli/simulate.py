"""`orchestrator simulate`: what a chain of models would have cost, and how good it would have been."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain
from orchestrator.errors import NotFoundError, OrchestratorError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.core.simulation import Interval, Outcome, Simulated, Verifier

_LARGEST = 256 << 20  # bytes of a file of runs


@click.command(
    name="simulate",
    help=words("""
  orchestrator simulate --runs runs.jsonl --chain gpt-6-luna,claude-opus-5-5
  orchestrator simulate --runs runs.csv --policy default --false-accept 0.1
  orchestrator simulate --runs runs.csv --chain small,large --json

What a chain of models, the cheapest first, would have cost, and how good it would have been, against always the last
one (or --against). A file of runs has a line for each: task, model, solved and cost_usd, as JSONL or as CSV with a
head; only tasks that every model of the chain was tried on count. A verifier decides what goes on to the next model;
it never errs, unless you say how often. The intervals hold 95 % of 1,000 bootstrap samples of the tasks.
"""),
)
@click.option("--runs", "file", required=True, metavar="FILE", help="Recorded outcomes; - reads stdin.")
@click.option("--chain", default="", metavar="A,B", help="The models, the cheapest first.")
@click.option("--policy", default="", metavar="NAME", help="The models of this policy's escalation.")
@click.option("--against", default="", metavar="MODEL", help="What would do everything else; else the last one.")
@click.option("--false-accept", type=click.FloatRange(0, 1), default=0.0, help="Wrong work that the verifier passes.")
@click.option("--false-reject", type=click.FloatRange(0, 1), default=0.0, help="Right work that it sends on.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the bootstrap.")
@json_option
@pass_call
def command(call: Call, /, file: str, as_json: bool, **given: Any) -> None:
    """Replays them."""
    from orchestrator.core.simulation import Verifier

    chain = _chain(call, given["chain"], given["policy"])
    verifier = Verifier(false_accept=given["false_accept"], false_reject=given["false_reject"])
    found = simulated(_read(file), chain, against=given["against"], verifier=verifier, seed=given["seed"])
    show(call, found, as_json=as_json)


def _chain(call: Call, chain: str, policy: str) -> tuple[str, ...]:
    if bool(chain) == bool(policy):
        raise UsageError("say which models: --chain a,b, or --policy NAME for those of its escalation")
    if policy:
        from orchestrator.wiring.statistics import Statistics

        return Statistics(call.workspace()).chain(policy)
    models = tuple(name.strip() for name in chain.split(","))
    if not all(models) or len(set(models)) < len(models):
        raise UsageError(f"--chain: {chain!r} has an empty or a repeated name; write e.g. small,large")
    return models


def _read(file: str) -> "list[Outcome]":
    from orchestrator.core.simulation_runs import BadRunsError, parse

    try:
        raw = sys.stdin.buffer.read(_LARGEST + 1) if file == "-" else _bytes(Path(file))
        if len(raw) > _LARGEST:
            raise OrchestratorError(f"{file}: it is larger than {_LARGEST >> 20} MiB; leave older runs out")
        return list(parse(raw.decode()))
    except FileNotFoundError:
        raise NotFoundError(f"{file}: there is no such file") from None
    except OSError as error:
        raise OrchestratorError(f"{file}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise OrchestratorError(f"{file}: it is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except BadRunsError as error:
        raise OrchestratorError(f"{file}:{error}") from None


def _bytes(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(_LARGEST + 1)


def simulated(
    outcomes: "Iterable[Outcome]",
    chain: "Sequence[str]",
    *,
    against: str = "",
    verifier: "Verifier | None" = None,
    seed: int = 1,
    fill: bool = False,
) -> "Simulated":
    """The replay. Raises OrchestratorError where there is nothing to replay."""
    from orchestrator.core.simulation import NothingToSimulateError, simulate

    try:
        return simulate(outcomes, chain, against=against, verifier=verifier, seed=seed, fill=fill)
    except NothingToSimulateError as error:
        raise OrchestratorError(f"{error}; record runs of all of them on the same tasks") from None


def show(call: Call, found: "Simulated", *, as_json: bool) -> None:
    """Prints it."""
    out = call.out
    if as_json:
        from orchestrator.core.reports import plain as as_plain

        out.envelope("simulate", as_plain(found))
        return
    left = f"; {found.left_out} without an outcome of every model are left out" if found.left_out else ""
    filled = f"; {found.filled} runs that nobody made are taken at their model's average" if found.filled else ""
    out.line(plain(f"{' → '.join(found.chain)} against always {found.against}, on {found.tasks} tasks{left}{filled}"))
    out.line(f"  cost     {_usd(found.cost)} a task against {_usd(found.against_cost)}: {_saving(found.saving)}")
    quality = f": {_quality(found.quality)}" if found.quality else ""
    out.line(f"  quality  {found.solved * 100:.1f} % solved against {found.against_solved * 100:.1f} %{quality}\n")
    head = ("MODEL", "ALONE: COST", "SOLVED", "IN THE CHAIN")
    rows = [
        (one.model, _usd(one.cost), f"{one.solved * 100:.1f} %", f"asked on {one.used * 100:.1f} %")
        for one in found.models
    ]
    out.table([head, *rows], paints=[Paint.FAINT])


def _saving(saving: "Interval") -> str:
    if saving.value < 0:
        return f"{-saving.value:.1f} % more ({-saving.high:.1f} to {-saving.low:.1f})"
    return f"{saving.value:.1f} % less ({saving.low:.1f} to {saving.high:.1f})"


def _quality(value: "Interval") -> str:
    return f"{value.value:.1f} % of it ({value.low:.1f} to {value.high:.1f})"


def _usd(micro_usd: float) -> str:
    return f"${micro_usd / 1_000_000:.4f}"
