"""Words of a prompt, and the sets of words that mean the same to a painter."""

import re


def any_of(words: str) -> frozenset[str]:
    """The words of a list that is separated by spaces."""
    return frozenset(words.split())


def words_of(prompt: str) -> frozenset[str]:
    """In lower case, each also without the ending of the plural."""
    words = set(re.findall(r"[a-z]+", prompt.lower()))
    singular = {word.removesuffix("s") for word in words if len(word) > 3}
    return frozenset(words | singular | {word.removesuffix("es") for word in words if len(word) > 4})
