"""From words to a number: the same words always give the same one."""

import hashlib

from genpulse.provider import Output, OutputPlace, Result


def seed_of(words: str) -> int:
    """A number of 32 bits."""
    return int.from_bytes(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()[:4])


def made_with(seed: int, medium: str, content: bytes) -> Result:
    """One file of an image, a video or audio, and the seed that gives the same one again."""
    return Result((Output(content),), answer={medium: OutputPlace(0), "seed": seed})
