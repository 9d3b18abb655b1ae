"""Day folders that never grow past 256 entries."""

import threading
from pathlib import Path

from orchestrator.adapters.buckets import FLAT, Buckets
from orchestrator.core.layout import FULL

DAY = "2026-02-12"


def fill(folder: Path, count: int, prefix: str = "old") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        (folder / f"{prefix}{number}").touch()


def test_a_day_starts_with_a_folder_of_its_name_that_is_made(tmp_path: Path) -> None:
    assert Buckets(tmp_path / "telemetry").place(DAY) == DAY
    assert (tmp_path / "telemetry" / DAY).is_dir()


def test_the_257th_file_of_a_day_goes_into_a_second_folder(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)
    places = [buckets.place(DAY) for _ in range(2 * FULL + 1)]
    assert places == [DAY] * FULL + [f"{DAY}.2"] * FULL + [f"{DAY}.3"]


def test_a_new_process_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    fill(tmp_path / DAY, FULL)
    fill(tmp_path / f"{DAY}.2", FULL)
    fill(tmp_path / f"{DAY}.10", FULL - 1)
    fill(tmp_path / f"{DAY}.x", 3)
    buckets = Buckets(tmp_path)
    assert [buckets.place(DAY), buckets.place(DAY)] == [f"{DAY}.10", f"{DAY}.11"]


def test_days_do_not_disturb_each_other(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)
    fill(tmp_path / "2026-02-11", FULL)
    assert [buckets.place("2026-02-11"), buckets.place(DAY)] == ["2026-02-11.2", DAY]


def test_a_folder_that_somebody_took_away_is_made_again(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)
    buckets.place(DAY)
    (tmp_path / DAY).rmdir()
    assert buckets.place(DAY) == DAY
    assert (tmp_path / DAY).is_dir()


def test_a_file_or_a_link_with_the_name_of_a_folder_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / DAY).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{DAY}.2").symlink_to(tmp_path / "elsewhere")
    assert Buckets(tmp_path).place(DAY) == f"{DAY}.3"


def test_a_root_is_flat_until_it_is_full(tmp_path: Path) -> None:
    fill(tmp_path, FLAT - 1)
    buckets = Buckets(tmp_path)
    assert [buckets.flat_or_bucket(DAY), buckets.flat_or_bucket(DAY)] == ["", DAY]


def test_a_root_is_flat_again_once_files_have_left_it(tmp_path: Path) -> None:
    fill(tmp_path, FULL)
    buckets = Buckets(tmp_path)
    assert buckets.flat_or_bucket(DAY) == DAY
    for number in range(100):
        (tmp_path / f"old{number}").unlink()
    assert buckets.flat_or_bucket(DAY) == ""


def test_a_file_put_there_without_asking_counts_once_it_is_noted(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)
    places = [buckets.place(DAY)]
    buckets.note_added(DAY)
    places += [buckets.place(DAY) for _ in range(FULL - 1)]
    assert places.count(DAY) == FULL - 1
    assert buckets.flat_or_bucket(DAY) == ""
    buckets.note_added("")


def test_threads_together_never_fill_a_folder_past_its_bound(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path)

    def add(name: str) -> None:
        for number in range(150):
            (tmp_path / buckets.place(DAY) / f"{name}{number}").touch()

    threads = [threading.Thread(target=add, args=(f"t{number}-",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = sorted(len(list(folder.iterdir())) for folder in tmp_path.iterdir())
    assert sizes == [600 - 2 * FULL, FULL, FULL]
