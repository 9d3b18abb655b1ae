"""Done tasks past retention."""

from world import DONE, Fake, run

from orchestrator import archiving
from orchestrator.core import layout


def test_a_done_task_past_its_retention_moves_to_the_month_in_which_it_finished(fake: Fake) -> None:
    fake.drop("old")
    fake.run()
    fake.clock.go_on(days=20)
    fake.drop("young")
    fake.run()
    fake.clock.go_on(days=15)
    content = fake.text(fake.path("old"))
    assert run(archiving.archive(fake.world)) == 1
    assert fake.path("old") == f"{layout.ARCHIVE}/2026-02/old.yaml"
    assert fake.text(fake.path("old")) == content
    assert fake.where("young") == ["done/dev/2026-03-04"]
    assert fake.trail.commits[-1].subject == "task: archived old"
    assert fake.trail.commits[-1].trailers["Task-Transition"] == "done -> archived"
    assert run(archiving.archive(fake.world)) == 0


def test_at_most_so_many_are_archived_at_once(fake: Fake) -> None:
    for number in range(archiving.AT_ONCE + 6):
        fake.drop(f"t{number}")
    fake.run()
    fake.clock.go_on(days=31)
    assert [run(archiving.archive(fake.world)) for _ in range(3)] == [archiving.AT_ONCE, 6, 0]


def test_what_a_person_took_away_does_not_keep_the_others_from_the_archive(fake: Fake) -> None:
    for number in range(archiving.AT_ONCE):
        fake.drop(f"gone{number}")
    fake.run()
    for path in [path for path in fake.mailbox.files if path.startswith(DONE)]:
        del fake.mailbox.files[path]
    fake.clock.go_on(seconds=1)
    fake.drop("x")
    fake.run()
    fake.clock.go_on(days=31)
    assert run(archiving.archive(fake.world)) == 1
    assert fake.where("x") == ["archive/2026-02"]


def test_a_taken_place_in_the_archive_does_not_keep_the_others_from_it(fake: Fake) -> None:
    fake.drop("a")
    fake.run()
    fake.clock.go_on(seconds=1)
    fake.drop("b")
    fake.run()
    fake.drop("a", folder=f"{layout.ARCHIVE}/2026-02")
    fake.clock.go_on(days=31)
    assert run(archiving.archive(fake.world)) == 1
    assert fake.where("a") == ["archive/2026-02", "done/dev/2026-02-12"]
    assert fake.where("b") == ["archive/2026-02"]
