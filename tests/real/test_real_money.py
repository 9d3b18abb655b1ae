"""The real claude and codex where money and routes decide: one takes over from the other, and no limit is passed."""

from decimal import Decimal

from real_world import MODELS, Shop

CHAIN = """\
agents:
  dev: {preferred_tool: claude, preferred_model: claude-sonnet-5-5, fallback_chain: ["codex:gpt-6.1-sol"]}
"""
PRICE = {"input_mtok": 100, "output_mtok": 500}  # 0.20 USD for a turn of 1,000 and 200 tokens
LIMITED = """\
policies:
  default:
    max_parallel: 1
    retries: {max: 0}
    limits: [{period: day, max_usd: 1, type: hard}, {period: task, max_usd: 0.5, type: hard}]
"""


def test_codex_takes_over_from_a_claude_that_is_rate_limited(shop: Shop) -> None:
    shop.open()
    shop.configure(agents=CHAIN)
    task = shop.ask("relay", "dev", f"STUB:STATUS 429 model={MODELS['claude']}", "STUB:TEXT taken over")
    shop.until_idle()
    assert shop.task(task)["status"] == "done", shop.task(task)
    assert "taken over" in shop.log(task)
    events = shop.events(task)
    started = [(event["tool"], event["reason"]) for event in events if event["event"] == "execution_started"]
    assert started == [("claude", "preferred"), ("codex", "fallback")]
    failed = next(event for event in events if event["event"] == "attempt_failed")
    assert (failed["error_kind"], failed["next_tool"]) == ("rate_limited", "codex")
    shop.is_left_clean()


def test_a_claude_that_was_rate_limited_is_left_alone_by_the_next_task(shop: Shop) -> None:
    shop.open()
    shop.configure(agents=CHAIN)
    shop.ask("first", "dev", f"STUB:STATUS 429 model={MODELS['claude']}", "STUB:TEXT taken over")
    shop.until_idle()
    shop.ask("second", "dev", "STUB:TEXT at once")
    shop.until_idle()
    started = [event["tool"] for event in shop.events("second") if event["event"] == "execution_started"]
    assert started == ["codex"]
    assert "is left alone until" in shop.events("second")[1]["why"]
    shop.is_left_clean()


def test_a_hard_limit_of_the_day_is_not_passed_by_a_tool_that_computes_no_cost(shop: Shop) -> None:
    shop.open()
    shop.configure(policies=LIMITED, prices={MODELS["codex"]: PRICE})
    names = [shop.ask(f"task-{number}", "codex", "STUB:TEXT well") for number in range(5)]
    shop.until_idle()
    tasks = [shop.task(name) for name in names]
    done = [task for task in tasks if task["status"] == "done"]
    blocked = [name for name, task in zip(names, tasks, strict=True) if task["status"] == "blocked"]
    assert len(done) + len(blocked) == 5
    assert blocked
    spent = [Decimal(task["result"]["metrics"]["cost_usd"]) for task in done]
    assert min(spent) > 0
    assert sum(spent) <= 1
    assert "Over budget: hard limit a day" in shop.events(blocked[0])[-1]["why"]
    shop.is_left_clean()
