"""The shape of a file in a few lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.brief.outline import outline

FILES = {
    "Markdown": (
        "a.md",
        "# One\n\ntext\n## Two ##\n```\n# no heading\n```\n#hash\n### Three\n",
        "headings",
        ["1 One", "4 Two", "9 Three"],
    ),
    "Python": (
        "a.py",
        (
            'import os\n\nclass A(B):\n    """What for.\n\n    More."""\n    def inner(self): ...\n\n'
            "@cache\nasync def f(): ...\n"
        ),
        "definitions",
        ["3 class A: What for.", "10 def f"],
    ),
    "Python that does not parse": ("a.py", "x = 1\ndef (:\n", "definitions", ["2 does not parse: invalid syntax"]),
    "Python with an invalid escape": ("a.py", "def f(): return '\\d'\n", "definitions", ["1 def f"]),
    "JavaScript": (
        "a.js",
        (
            "import x\nexport default class A {\n  m() {}\n}\nasync function f() {}\n"
            "export const g = 1\nconst h = (a) => a\nconst n = 3\n"
        ),
        "definitions",
        ["2 class A", "5 function f", "6 const g", "7 const h"],
    ),
    "TypeScript": (
        "a.tsx",
        "export interface A {}\ntype B = string\nexport abstract class C {}\nenum D {}\n",
        "definitions",
        ["1 interface A", "2 type B", "3 class C", "4 enum D"],
    ),
    "Go": (
        "a.go",
        "package a\ntype T struct {}\nfunc (t *T) M() {}\nfunc F() {}\n",
        "definitions",
        ["2 type T struct", "3 func (t *T) M", "4 func F"],
    ),
    "Rust": (
        "a.rs",
        "pub struct S;\npub(crate) async fn f() {}\nimpl<T> Tr for S {\n    fn m() {}\n}\n",
        "definitions",
        ["1 struct S", "2 fn f", "3 impl Tr for S"],
    ),
    "Java": (
        "A.java",
        "public final class A {\n  void m() {}\n}\ninterface B {}\n",
        "definitions",
        ["1 class A", "4 interface B"],
    ),
    "a shell script": ("a.sh", "#!/bin/sh\nf() {\n:\n}\nfunction g {\n:\n}\n", "definitions", ["2 f", "5 function g"]),
    "a script without a suffix": ("tool", "#!/usr/bin/env bash\nf() { :; }\n", "definitions", ["2 f"]),
    "a Python script without a suffix": ("tool", "#!/usr/bin/env python3\ndef f(): ...\n", "definitions", ["2 def f"]),
    "YAML": ("a.yaml", "a: 1\n# c: 3\nb:\n  c: 2\n'd e': x\n- f\n", "keys", ["1 a", "3 b", "5 'd e'"]),
    "JSON": ("a.json", '{"a": 1, "b": {"c": 2}}', "keys", ["0 a", "0 b"]),
    "a JSON list": ("a.json", "[1, 2]", "keys", ["0 a list of 2"]),
    "JSON that does not parse": ("a.json", "{\n,", "keys", ["2 does not parse"]),
    "TOML": ("a.toml", "top = 1\n[a]\nx = 2\n[[b.c]]\n", "keys", ["1 top", "2 [a]", "4 [b.c]"]),
    "anything else": ("a.txt", "# x\n", "", []),
}


@pytest.mark.parametrize(("path", "text", "kind", "items"), FILES.values(), ids=FILES)
def test_a_file_is_outlined_by_its_kind(path: str, text: str, kind: str, items: list[str]) -> None:
    found_kind, found = outline(path, text)
    assert (found_kind, [f"{item.line} {item.words}" for item in found]) == (kind, items)


def test_headings_keep_their_depth() -> None:
    assert [item.depth for item in outline("a.md", "# a\n## b\n###### c\n")[1]] == [0, 1, 5]


@pytest.mark.parametrize("path", ["a.json", "a.py"])
def test_nesting_without_end_is_no_crash(path: str) -> None:
    assert "does not parse" in outline(path, "[" * 100_000)[1][0].words


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted({path for path, *_ in FILES.values()})), st.text(max_size=200))
def test_no_text_crashes_an_outline(path: str, text: str) -> None:
    kind, items = outline(path, text)
    assert all(0 <= item.line <= text.count("\n") + 1 for item in items)
    assert kind or not items
