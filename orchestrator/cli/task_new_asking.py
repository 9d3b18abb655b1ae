"""What `task new` asks at a terminal. Questions go to stderr; nothing is written while somebody is asked."""

import select
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.screen import Paint, plain, plain_lines
from orchestrator.errors import InterruptedByPersonError

if TYPE_CHECKING:
    from orchestrator.cli.call import Call
    from orchestrator.wiring.task_writing import Choices

PLAIN = "plain"
_PRIORITIES = ("critical", "high", "medium", "normal", "low")
_PASTE = 0.1  # seconds in which the next line of a text that is pasted comes


def ask(call: "Call", given: dict[str, object], known: "Choices", kind: str) -> str:
    """Asks for whatever is not given, and puts it there; the kind that was chosen.

    Raises:
        InterruptedByPersonError: nobody answers any more.
    """
    asking = Asking(call)
    if not kind:
        kinds = [(PLAIN, "nothing but what you say"), *((one.name, one.about) for one in known.templates.values())]
        kind = asking.choose("What kind of task?", kinds, default=PLAIN)
    template = known.templates.get(kind)
    if "agent" not in given:
        proposed = known.agent_of(template)
        if not known.agents:
            given["agent"] = asking.line("Who is to do it?", default=proposed)
        elif known.only_agent:
            given["agent"] = known.only_agent
        else:
            default = _key(proposed, known) or known.agents[0][0]
            given["agent"] = asking.choose("Who is to do it?", known.agents, default=default)
    if "title" not in given:
        hint = template.asks("title") if template is not None else ""
        default = template.says("title") if template is not None else ""
        given["title"] = asking.line(f"Title ({hint or 'what is asked, in a line'}):", default=default)
    if "description" not in given and (text := asking.text(template.asks("description") if template else "")):
        given["description"] = text
    if "priority" not in given:
        priority = asking.choose("How urgent?", [(name, "") for name in _PRIORITIES], default="normal")
        given |= {"priority": priority} if priority != "normal" or template is not None else {}
    return kind


def _key(name: str, known: "Choices") -> str:
    from orchestrator.core.agents import Unknown, resolve

    if known.settings is None or not name:
        return ""
    found = resolve(name, known.settings.agents)
    return "" if isinstance(found, Unknown) else found


class Asking:
    """Questions, one after the other."""

    def __init__(self, call: "Call") -> None:
        self._err = call.err

    def choose(self, question: str, options: Sequence[tuple[str, str]], *, default: str) -> str:
        """One of these, by its number or name."""
        names = [name for name, _ in options]
        self._err.line(self._err.paint(question, Paint.STRONG))
        self._err.table([(f"{number}", name, about) for number, (name, about) in enumerate(options, start=1)])
        while True:
            answer = self._read("> " + (f"[{default}] " if default else ""))
            if not answer and default:
                return default
            if answer.isascii() and answer.isdigit() and 1 <= int(answer[:9]) <= len(names):
                return names[int(answer) - 1]
            near = [name for name in names if name.casefold().startswith(answer.casefold())] if answer else []
            exact = [name for name in near if name.casefold() == answer.casefold()]
            if len(exact or near) == 1:
                return (exact or near)[0]
            self._err.line(f"  write a number from 1 to {len(names)}, or a name of the list")

    def line(self, question: str, *, default: str = "") -> str:
        """A line; an empty one is the default, or is asked for again."""
        self._err.line(self._err.paint(plain(question), Paint.STRONG))
        while True:
            answer = self._read("> " + (f"[{plain(default)}] " if default else "")) or default
            if answer:
                return answer
            self._err.line("  it needs one; Ctrl-C ends this without a task")

    def text(self, hint: str) -> str:
        """Several lines, up to one that is empty or holds a dot. An empty line within what is pasted ends nothing."""
        self._err.line(self._err.paint(f"In full ({plain(hint) or 'what is asked'}):", Paint.STRONG))
        self._err.line("  several lines if you like; an empty line or a dot alone ends it")
        lines: list[str] = []
        while True:
            self._err.piece("> ")
            self._err.flush()
            line = sys.stdin.readline()
            if not line or line.strip() == "." or (not line.strip() and not _more_comes()):
                return "\n".join(lines).strip("\n")
            lines.append(line.rstrip("\r\n").rstrip())

    def agreed(self, shown: str, question: str) -> str:
        """The first letter of the answer to a question about a text that is shown; empty: just Enter."""
        for line in plain_lines(shown):
            self._err.line(self._err.paint(f"  {line}", Paint.FAINT))
        return self._read(question)[:1].casefold()

    def _read(self, prompt: str) -> str:
        self._err.piece(prompt)
        self._err.flush()
        line = sys.stdin.readline()
        if not line:
            self._err.line()
            raise InterruptedByPersonError("nobody answered; nothing was written")
        return line.strip()


def _more_comes() -> bool:
    """Whether the terminal has more lines at once: then a text is being pasted."""
    return bool(select.select([sys.stdin], [], [], _PASTE)[0])
