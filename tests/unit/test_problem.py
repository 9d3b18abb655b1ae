"""How a finding is drawn."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.problem import Problem, render


def test_a_finding_shows_the_place_the_line_and_a_caret_under_what_is_meant() -> None:
    problem = Problem(
        path="config/tools.yaml",
        line=14,
        column=12,
        length=4,
        source='  timeout: "-3"',
        key="tools.claude.timeout",
        message='"-3" is not a duration',
        hint="use e.g. 10m",
    )
    assert render(problem) == (
        'config/tools.yaml:14:12: tools.claude.timeout: "-3" is not a duration; use e.g. 10m\n'
        '   14 |   timeout: "-3"\n'
        "      |            ^^^^"
    )


def test_a_finding_about_a_whole_file_is_one_line() -> None:
    assert render(Problem(path="x.yaml", message="is empty")) == "x.yaml: is empty"


def test_tabs_keep_the_caret_under_its_column() -> None:
    assert render(Problem(path="x", line=1, column=3, source="\ta\tb", message="m")).splitlines()[2] == "      | \t ^"


def test_a_long_line_is_shown_as_a_window_around_the_column() -> None:
    source = "a" * 500 + "X" + "b" * 500
    shown = render(Problem(path="x", line=1, column=501, source=source, message="m")).splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^")] == "X"


@given(
    st.text(alphabet="ab\t ü", min_size=1, max_size=400),
    st.integers(min_value=1, max_value=500),
    st.integers(min_value=1, max_value=500),
)
@settings(max_examples=200)
def test_the_caret_never_leaves_the_line(source: str, column: int, length: int) -> None:
    shown = render(Problem(path="x", line=7, column=column, length=length, source=source, message="m")).split("\n")
    assert len(shown) == 3
    assert "^" in shown[2]
    assert len(shown[2]) <= len(shown[1]) + 1
    if column <= len(source):
        assert shown[1][shown[2].index("^")] == source[column - 1]
