"""Where the shipped files are found."""

import subprocess
import sys
from pathlib import Path

import pytest

import orchestrator
from orchestrator import resources
from orchestrator.config import schema

ASK = "from orchestrator.resources import folder; print(folder('config'))"


def installed(root: Path) -> Path:
    """A package of its own with the two modules that it takes to ask."""
    package = root / "orchestrator"
    package.mkdir()
    for name in ("__init__.py", "errors.py", "resources.py"):
        (package / name).write_bytes((Path(orchestrator.__file__).parent / name).read_bytes())
    return package


def asked(root: Path) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-S", "-P", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {ASK}"]
    return subprocess.run(call, cwd=root, capture_output=True, text=True, check=False, env={})


def test_a_checkout_has_its_folders_beside_the_package() -> None:
    if (Path(orchestrator.__file__).parent / "_data").is_dir():
        pytest.skip("the tests run on an installed package")
    for name in resources.NAMES:
        assert resources.folder(name) == Path(orchestrator.__file__).parent.parent / name


def test_an_installed_package_has_its_own_folders_before_any_beside_it(tmp_path: Path) -> None:
    package = installed(tmp_path)
    (tmp_path / "config").mkdir()
    (package / "_data/config").mkdir(parents=True)
    assert asked(tmp_path).stdout.strip() == str(package / "_data/config")


def test_an_incomplete_installation_says_so(tmp_path: Path) -> None:
    installed(tmp_path)
    answer = asked(tmp_path)
    assert answer.returncode == 1
    assert "the installation is incomplete: no folder config beside" in answer.stderr


# Keys that stand in the reference only in front of a dot.
NESTED = {
    "platforms",
    "tokens",
    "rate_limit",
    "cost_per_1k_tokens",
    "limits",
    "limit",
    "scope",
    "retries",
    "cost_optimization",
}
ENTRIES = [
    schema.AgentEntry,
    schema.ToolEntry,
    schema.RateLimitEntry,
    schema.PlatformsEntry,
    schema.LimitsEntry,
    schema.OutputEntry,
    schema.TokensEntry,
    schema.ModelEntry,
    schema.PriceEntry,
    schema.OldPriceEntry,
    schema.PolicyEntry,
    schema.LimitEntry,
    schema.ScopeEntry,
    schema.RetriesEntry,
    schema.CostOptimizationEntry,
    schema.CheckEntry,
    schema.TrailEntry,
    schema.IntakeEntry,
    schema.RetentionEntry,
    schema.WorkspacesEntry,
    schema.SingleEntry,
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
def test_every_key_is_in_the_reference(entry: type[schema.Entry]) -> None:
    reference = Path(orchestrator.__file__).parent.parent / "docs/reference/configuration.md"
    if not reference.is_file():
        pytest.skip("the reference is part of a checkout, not of an installation")
    rows = [line.split("|")[1] for line in reference.read_text().splitlines() if line.startswith("|")]
    keys = {key.split(".")[-1].split(":")[0] for row in rows for key in row.replace("`", " ").replace(",", " ").split()}
    assert {field.alias or name for name, field in entry.model_fields.items()} - NESTED <= keys
