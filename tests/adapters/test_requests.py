"""How a command reaches a running daemon."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.adapters.requests import FOLDER, LARGEST, Request, RequestBox, ask
from orchestrator.errors import NoDaemonError, NotFoundError, OrchestratorError, TimedOutError, UsageError

Answer = Callable[[Request], Mapping[str, object] | OrchestratorError]


@contextmanager
def daemon(state: Path, answer: Answer) -> Iterator[list[Request]]:
    """A thread that answers as a daemon does."""
    box, seen, stop = RequestBox(state), list[Request](), threading.Event()

    def serve() -> None:
        while not stop.wait(0.002):
            for request in box.pending():
                seen.append(request)
                box.answer(request, answer(request))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def leave(state: Path, name: str, content: bytes) -> None:
    folder = state / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def names(state: Path) -> list[str]:
    return sorted(os.listdir(state / FOLDER))


def replied(state: Path, request_id: str) -> str:
    answer = json.loads((state / FOLDER / f"{request_id}.reply.json").read_text())
    return str(answer["error"]["message"])


def test_a_request_comes_back_as_its_reply_and_leaves_nothing(tmp_path: Path) -> None:
    with daemon(tmp_path, lambda request: {"id": request.arguments["id"], "status": "cancelled"}) as seen:
        assert ask(tmp_path, "cancel", {"id": "a"}) == {"id": "a", "status": "cancelled"}
    assert [(request.verb, request.arguments) for request in seen] == [("cancel", {"id": "a"})]
    assert names(tmp_path) == []


def test_an_error_comes_back_as_the_same_kind_with_the_same_words(tmp_path: Path) -> None:
    with daemon(tmp_path, lambda _: NotFoundError("no task b; nearest: a")), pytest.raises(NotFoundError) as refusal:
        ask(tmp_path, "cancel", {"id": "b"})
    assert str(refusal.value) == "no task b; nearest: a"
    assert refusal.value.exit_code == 4


def test_text_of_any_kind_survives_the_way_there(tmp_path: Path) -> None:
    text = "title: \N{SNOWMAN}\n\t\x00 " + b"\xff\xfe".decode(errors="surrogateescape")
    with daemon(tmp_path, lambda request: {"content": request.arguments["content"]}):
        assert ask(tmp_path, "submit", {"content": text}) == {"content": text}


def test_many_clients_each_get_their_own_answer(tmp_path: Path) -> None:
    got: dict[int, dict[str, object]] = {}

    def client(number: int) -> None:
        got[number] = ask(tmp_path, "retry", {"id": number})

    with daemon(tmp_path, lambda request: {"id": request.arguments["id"]}) as seen:
        threads = [threading.Thread(target=client, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == {number: {"id": number} for number in range(20)}
    assert len(seen) == 20
    assert names(tmp_path) == []


def test_a_request_that_nobody_takes_is_withdrawn_and_will_never_happen(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError, match="nothing was changed"):
        ask(tmp_path, "cancel", {"id": "a"}, patience=0.02)
    assert RequestBox(tmp_path).pending() == []


def test_a_client_does_not_wait_for_a_daemon_that_has_died(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError):
        ask(tmp_path, "cancel", {"id": "a"}, patience=3600, is_alive=lambda: False)


def test_a_request_that_was_taken_and_not_answered_says_that_it_may_still_happen(tmp_path: Path) -> None:
    box = RequestBox(tmp_path)

    def is_alive() -> bool:
        return not box.pending()  # takes it, and dies

    with pytest.raises(TimedOutError, match="may still carry it out"):
        ask(tmp_path, "cancel", {"id": "a"}, is_alive=is_alive)


def test_a_request_is_handed_out_once(tmp_path: Path) -> None:
    leave(tmp_path, "01.json", b'{"verb": "retry", "arguments": {"id": "a"}}')
    assert [request.id for request in RequestBox(tmp_path).pending()] == ["01"]
    assert RequestBox(tmp_path).pending() == []


def test_requests_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("03", "01", "02"):
        leave(tmp_path, f"{name}.json", b'{"verb": "retry", "arguments": {}}')
    assert [request.id for request in RequestBox(tmp_path).pending()] == ["01", "02", "03"]


def test_what_an_expired_client_wanted_is_dropped(tmp_path: Path) -> None:
    leave(tmp_path, "01.json", b'{"verb": "cancel", "arguments": {}, "until": 5}')
    assert RequestBox(tmp_path).pending() == []
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"\xff\x00", "not JSON"),
        (b"[1]", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"verb": "cancel"}', "not JSON"),
        (b'{"verb": "cancel", "arguments": [], "until": null}', "JSON object"),
        (b'{"verb": "cancel", "arguments": {}, "until": "soon"}', "not JSON"),
        (b'{"verb": "format-disk", "arguments": {}}', "knows no verb 'format-disk'"),
        (b'{"verb": ["cancel"], "arguments": {}}', "knows no verb"),
        (b" " * (LARGEST + 1), "at most"),
    ],
    ids=["empty", "binary", "a list", "deep", "no arguments", "odd arguments", "odd time", "unknown", "odd", "huge"],
)
def test_what_is_no_request_is_answered_with_an_error(tmp_path: Path, content: bytes, words: str) -> None:
    leave(tmp_path, "01.json", content)
    assert RequestBox(tmp_path).pending() == []
    assert words in replied(tmp_path, "01")
    assert names(tmp_path) == ["01.reply.json"]


def test_a_link_and_a_pipe_are_no_requests(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"verb": "cancel", "arguments": {}}')
    leave(tmp_path, ".nudge", b"")
    (tmp_path / FOLDER / "01.json").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / FOLDER / "02.json")
    assert RequestBox(tmp_path).pending() == []
    assert "cannot be read" in replied(tmp_path, "01")
    assert "plain file" in replied(tmp_path, "02")
    assert (tmp_path / "secret").exists()


@pytest.mark.parametrize("name", [".nudge", ".01.json.tmp", "a.reply.json", "01.taken", "../x.json", "notes.txt"])
def test_other_files_in_the_folder_are_left_alone(tmp_path: Path, name: str) -> None:
    leave(tmp_path, name, b'{"verb": "cancel", "arguments": {}}')
    assert RequestBox(tmp_path).pending() == []
    assert (tmp_path / FOLDER / name).exists()


def test_leftovers_are_swept_after_an_hour_and_not_before(tmp_path: Path) -> None:
    for name in ("01.reply.json", "02.taken", ".03.json.tmp", ".nudge"):
        leave(tmp_path, name, b"{}")
    assert RequestBox(tmp_path, now=lambda: time.time() + 3500).sweep() == 0
    assert RequestBox(tmp_path, now=lambda: time.time() + 3700).sweep() == 3
    assert names(tmp_path) == [".nudge"]


def test_an_answer_of_another_version_is_named_as_that(tmp_path: Path) -> None:
    box = RequestBox(tmp_path)

    def is_alive() -> bool:
        for request in box.pending():
            leave(tmp_path, f"{request.id}.reply.json", b'{"answer": 1}')
        return True

    with pytest.raises(OrchestratorError, match="another version"):
        ask(tmp_path, "cancel", {}, is_alive=is_alive)


def test_a_usage_error_of_the_daemon_reaches_the_client(tmp_path: Path) -> None:
    box = RequestBox(tmp_path, verbs={"retry"})

    def is_alive() -> bool:
        assert box.pending() == []
        return True

    with pytest.raises(UsageError, match="knows retry"):
        ask(tmp_path, "cancel", {}, is_alive=is_alive)


def test_a_folder_that_cannot_be_made_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(OrchestratorError, match="cannot be asked"):
        ask(tmp_path / "state", "cancel", {})
