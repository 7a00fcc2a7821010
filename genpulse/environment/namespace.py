"""A name of one's own behind the environment's key prefix."""

import re

NAMESPACE = r"^[a-zA-Z0-9_.-]*$"
NAMESPACE_WORDS = "letters, digits, '_', '.' and '-' (a colon follows by itself)"


def is_namespace(text: str) -> bool:
    """Whether keys may have it in front; empty is none."""
    return re.fullmatch(NAMESPACE, text) is not None
