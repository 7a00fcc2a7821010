"""From words to a number: the same words always give the same one."""

import hashlib


def seed_of(words: str) -> int:
    """A number of 32 bits."""
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:4])
