"""The real programs are those that the catalogue was tested with, and keep the contracts that the readers expect."""

import json
from pathlib import Path

import yaml
from real_world import CATALOGUE, MODELS, Shop

PACKAGES = {"claude": "@anthropic-ai/claude-code", "codex": "@openai/codex"}


def test_the_pinned_versions_are_among_those_that_the_catalogue_names(shop: Shop) -> None:
    pinned = json.loads((Path(__file__).parent / "package.json").read_text())["dependencies"]
    for name, package in PACKAGES.items():
        stanza = yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text())[name]
        assert pinned[package] in stanza["tested_versions"]
    said = shop.open().program("tool", "check", *MODELS).out
    assert all(pinned[package] in said for package in PACKAGES.values()), said


def test_doctor_finds_that_they_keep_their_contracts_and_ask_nobody_else(shop: Shop) -> None:
    ended = shop.open().program("doctor", "--conformance", "--json", *MODELS)
    found = [finding for finding in ended.data["findings"] if finding["topic"] == "conformance"]
    assert {finding["what"].partition(":")[0] for finding in found} == set(MODELS)
    assert len(found) >= 15
    assert [finding for finding in found if finding["mark"] != "ok"] == []
    shop.is_left_clean()
