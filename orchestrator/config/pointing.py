"""JSON pointers (RFC 6901) as the configuration writes them, and why one is none."""

import re


def pointer_fault(pointer: str) -> tuple[str, str]:
    """What is wrong and what to write instead; two empty texts where it is a pointer."""
    if not pointer.startswith("/"):
        return "is not a JSON pointer: it does not start with /", f"write /{pointer.replace('.', '/')}"
    if re.search(r"~(?![01])", pointer):
        mended = re.sub(r"~(?![01])", "~0", pointer)
        return "is not a JSON pointer: ~ stands alone in it", f"write ~ as ~0 and / inside a name as ~1: {mended}"
    return "", ""
