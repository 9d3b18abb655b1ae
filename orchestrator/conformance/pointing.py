"""How each known program is pointed at a model API on loopback: its environment and its files, in a home of its own.

No credential and no setting of the person's reaches it, and a proxy that is the API itself hears of any other host that
it would ask.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

KEY = "sk-loopback-0123456789abcdef-not-a-credential"  # long: copilot takes a short one out of everything it prints
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIALS")


class Family(StrEnum):
    """The programs whose contract is known."""

    CLAUDE = "claude"
    CODEX = "codex"
    GEMINI = "gemini"
    OPENCODE = "opencode"
    COPILOT = "copilot"
    LLM = "llm"
    AIDER = "aider"


# A tool is of the family whose output its reader reads.
FAMILIES: Mapping[str, Family] = {
    "claude-json": Family.CLAUDE, "claude-stream-json": Family.CLAUDE, "codex": Family.CODEX, "gemini": Family.GEMINI,
    "gemini-stream": Family.GEMINI, "opencode": Family.OPENCODE, "copilot": Family.COPILOT, "llm": Family.LLM,
    "aider": Family.AIDER,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """What makes a program ask the API."""

    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # below its home


def point(family: Family, url: str, home: str, model: str) -> Pointed:
    """What that program needs to ask the API at `url`, with `home` for a home."""
    pointed = _POINTING[family](url, home, model)
    alone = {
        "HOME": home, "XDG_CONFIG_HOME": f"{home}/.config", "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_STATE_HOME": f"{home}/.local/state", "XDG_CACHE_HOME": f"{home}/.cache",
    }  # fmt: skip
    return Pointed(env={**alone, **through_proxy(url), **pointed.env}, files=pointed.files)


def through_proxy(url: str) -> dict[str, str]:
    """What sends every request for another host to the API, which refuses and notes it."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    proxies = {name: url for upper in names for name in (upper, upper.lower())}
    own = "127.0.0.1,localhost,::1"
    return {**proxies, "NO_PROXY": own, "no_proxy": own}


def harmless(env: Mapping[str, str]) -> dict[str, str]:
    """A stanza's own environment, with a key of ours in the place of each secret."""
    return {name: KEY if name.upper().endswith(_SECRETS) else value for name, value in env.items()}


def _claude(url: str, home: str, _: str) -> Pointed:
    env = {
        "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "CLAUDE_CONFIG_DIR": f"{home}/claude",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "1", "DISABLE_AUTOUPDATER": "1",
    }  # fmt: skip
    return Pointed(env=env)


def _codex(url: str, home: str, _: str) -> Pointed:
    config = f"""\
model_provider = "loopback"
[model_providers.loopback]
name = "loopback"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
[analytics]
enabled = false
[features]
plugins = false
"""  # with plugins it asks github.com for their list at each start
    return Pointed(env={"CODEX_HOME": f"{home}/codex", "OPENAI_API_KEY": KEY}, files={"codex/config.toml": config})


def _gemini(url: str, _: str, __: str) -> Pointed:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False},
    }
    env = {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": KEY, "GEMINI_CLI_TRUST_WORKSPACE": "true"}
    return Pointed(env=env, files={".gemini/settings.json": json.dumps(settings)})


def _opencode(url: str, _: str, model: str) -> Pointed:
    provider, _, name = model.rpartition("/")
    settings = {
        "autoupdate": False,
        "share": "disabled",
        "provider": {
            provider or "loopback": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
                "models": {name: {"name": name}},
            }
        },
    }
    return Pointed(
        env={"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"},
        files={".config/opencode/opencode.json": json.dumps(settings)},
    )


def _copilot(url: str, home: str, model: str) -> Pointed:
    env = {
        "COPILOT_PROVIDER_BASE_URL": f"{url}/v1", "COPILOT_PROVIDER_API_KEY": KEY, "COPILOT_MODEL": model,
        "COPILOT_OFFLINE": "true", "COPILOT_HOME": f"{home}/copilot",
    }  # fmt: skip
    return Pointed(env=env)


def _llm(url: str, home: str, model: str) -> Pointed:
    entry = (
        f"- model_id: {json.dumps(model)}\n  model_name: {json.dumps(model)}\n  api_base: {json.dumps(url + '/v1')}\n"
    )
    return Pointed(
        env={"LLM_USER_PATH": f"{home}/llm", "OPENAI_API_KEY": KEY}, files={"llm/extra-openai-models.yaml": entry}
    )


def _aider(url: str, _: str, __: str) -> Pointed:
    env = {
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": KEY,
        "AIDER_ANALYTICS": "false",
        "AIDER_CHECK_UPDATE": "false",
    }
    return Pointed(env=env)


_POINTING: Mapping[Family, Callable[[str, str, str], Pointed]] = {
    Family.CLAUDE: _claude, Family.CODEX: _codex, Family.GEMINI: _gemini, Family.OPENCODE: _opencode,
    Family.COPILOT: _copilot, Family.LLM: _llm, Family.AIDER: _aider,
}  # fmt: skip
