"""How many tokens a text may be, without a tokenizer: good for a threshold and a context window, never for a bill.

The rule is the best cheap one of those measured against counts of real interfaces: a word is a token for every six
letters begun, a sign is one: 12 % too many on average, 3 % too few at the twentieth part that fares worst. What it was
not measured on is counted the careful way: a run too long for a word (hex, base64) as a token for every three
characters, other scripts as one for every three bytes. A few passes over it, without backtracking: linear in the text.
"""

from collections import Counter

from orchestrator.core.pattern import late
from orchestrator.core.task import Task

_LETTERS_A_TOKEN = 6
_LONGEST_WORD = 40  # letters: beyond it is data, not language
_OTHERS = late("[^\x00-\x7f\u00c0-\u024f]+")  # neither ASCII nor a letter of a language in Latin script
_SIGNS = [
    sign for sign in range(128) if not (chr(sign).isalnum() or chr(sign) == "_" or sign in {9, 10, 11, 12, 13, 32})
]
_SPACED = dict.fromkeys(_SIGNS, " ")
_REMOVED = dict.fromkeys(_SIGNS)

_CLAUDE = late(r"claude|opus|sonnet|haiku|fable")
_VERSION = late(r"(?<![0-9])([0-9]{1,2})(?:[.-]([0-9]{1,2}))?(?![0-9])")
_NEWER_TOKENIZER = (5, 0)
_NEWER_TOKENIZER_OF_OPUS = (4, 7)


def estimate(text: str) -> int:
    """About how many tokens that text is."""
    others = 0
    if not text.isascii():
        others = len("".join(_OTHERS.findall(text)).encode("utf-8", "surrogatepass"))
        text = _OTHERS.sub(" ", text)
    words = Counter(map(len, text.translate(_SPACED).split()))
    letters = sum(length * number for length, number in words.items())
    signs = len(text) - len(text.translate(_REMOVED))
    blanks = max(0, len(text) - letters - signs - words.total())  # those that do not part two words
    return sum(_of_word(length) * number for length, number in words.items()) + signs + -(-others // 3) + blanks // 16


def _of_word(letters: int) -> int:
    return -(-letters // (_LETTERS_A_TOKEN if letters <= _LONGEST_WORD else 3))


def for_model(tokens: int, model: str) -> int:
    """The same for that model: the newer Claude models make some 30 % more tokens of a text. A Claude model without
    a version in its name is taken for a new one."""
    name = model.casefold()
    return -(-tokens * 13 // 10) if _CLAUDE.search(name) and _is_newer(name) else tokens


def _is_newer(name: str) -> bool:
    found = _VERSION.search(name)
    if found is None:
        return True
    version = (int(found[1]), int(found[2] or 0))
    return version >= (_NEWER_TOKENIZER_OF_OPUS if "opus" in name else _NEWER_TOKENIZER)


def of_task(task: Task) -> int:
    """The same for what a task says of itself: its prompt, or the fields that its prompt is made from."""
    if task.prompt:
        return estimate(task.prompt)
    listed = (*task.artefacts, *task.context_files, *task.notes)
    given = (str(value) for value in (*task.context.values(), *task.extras.values()))
    return estimate("\n".join((task.title, task.description, task.body, *listed, *given)))
