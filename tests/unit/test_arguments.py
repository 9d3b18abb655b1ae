"""A tool's command with its placeholders filled."""

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.arguments import fill, model_fault, placeholders

NAMES = ("model", "prompt", "workspace")
ELEMENTS = st.one_of(
    st.sampled_from(["run", "-v", "--model", "--x=1", "--", "{model}", "{prompt}", "--m={model}", "{model}:{prompt}"]),
    st.text(alphabet="ab -=\n'\"$`;{}*", max_size=6),
)
VALUES = st.text(alphabet="ab {}modelprompt\n'\"$`;|&*?~\\", max_size=20)


@given(st.lists(ELEMENTS, max_size=6), st.fixed_dictionaries({name: VALUES.filter(bool) for name in NAMES}))
@settings(max_examples=200)
def test_one_element_is_one_argument_whatever_the_values_hold(command: list[str], values: dict[str, str]) -> None:
    known = [element for element in command if set(placeholders(element)) <= set(NAMES)]
    filled = fill(known, values)
    assert len(filled) == len(known)
    for element, argument in zip(known, filled, strict=True):
        left, wanted = element, ""
        for name in placeholders(element):
            before, _, left = left.partition("{" + name + "}")
            wanted += before + values[name]
        assert argument == wanted + left


@given(st.sampled_from(["{prompt}", "--p={prompt}", "{model} {prompt}"]), VALUES)
@settings(max_examples=100)
def test_a_value_is_never_looked_at_again(element: str, prompt: str) -> None:
    filled = fill([element], {"prompt": f"{prompt}{{model}}", "model": "M"})
    assert filled == (element.replace("{model}", "M").replace("{prompt}", f"{prompt}{{model}}"),)


def test_an_element_without_its_value_goes_and_the_flag_before_it() -> None:
    command = ["tool", "--model", "{model}", "-q", "--prompt={prompt}", "--out", "x", "--", "{workspace}"]
    assert fill(command, {"model": None, "prompt": "", "workspace": "w"}) == ("tool", "--out", "x", "--", "w")
    assert fill(["tool", "-a", "b", "{model}"], {}) == ("tool", "-a", "b")
    assert fill(["tool", "--a=1", "{model}"], {}) == ("tool", "--a=1")
    assert fill(["tool", "--m", "{model}", "{prompt}"], {}) == ("tool",)


def test_what_is_no_placeholder_stays_as_it_is() -> None:
    assert fill(["{}", "{Model}", "{ model }", "{{x}}", "${HOME}"], {"x": "v"}) == (
        "{}",
        "{Model}",
        "{ model }",
        "{v}",
        "${HOME}",
    )


_ANYTHING = st.text(min_size=1, max_size=30).filter(lambda text: "\x00" not in text)
_NASTY = st.sampled_from(
    ["-rf", "--model", "--", "-", "'", '"', "a 'b' \"c\"", "a\nb", "{model}", "{prompt}", "$(id)", "`id`", "a;b", "ü☃"]
)


@given(st.fixed_dictionaries({name: st.one_of(_NASTY, _ANYTHING) for name in NAMES}))
@settings(max_examples=200)
def test_the_flags_and_their_number_are_the_same_whatever_the_values_are(values: dict[str, str]) -> None:
    command = ["tool", "-p", "--model", "{model}", "--cwd={workspace}", "--", "{prompt}"]
    filled = fill(command, values)
    assert filled == ("tool", "-p", "--model", values["model"], f"--cwd={values['workspace']}", "--", values["prompt"])


@given(st.sets(st.sampled_from(NAMES)), _ANYTHING)
@settings(max_examples=100)
def test_what_has_no_value_takes_its_own_flag_along_and_no_other(absent: set[str], value: str) -> None:
    command = ["tool", "--quiet", "--a", "{model}", "--b", "{prompt}", "--c", "{workspace}", "end"]
    values = {name: None if name in absent else value for name in NAMES}
    pairs = [("--a", "model"), ("--b", "prompt"), ("--c", "workspace")]
    left = [part for flag, name in pairs if name not in absent for part in (flag, value)]
    assert fill(command, values) == ("tool", "--quiet", *left, "end")


def test_a_name_that_a_program_could_take_for_an_option_is_no_name_of_a_model() -> None:
    assert model_fault("claude-sonnet-5-5") == ""
    assert model_fault("openrouter/some:free") == ""
    assert "starts with a dash" in model_fault("--dangerously-skip-permissions")
    for bad in ("", "a b", "a\nb", "a\x00b", "x" * 129):
        assert model_fault(bad), bad
