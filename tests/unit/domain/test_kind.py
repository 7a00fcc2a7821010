"""Which of its kinds an input asks for."""

import pytest

from genpulse.domain.kind import by_source

PICTURES = ("text-to-image", "image-to-image")


@pytest.mark.parametrize(
    ("kinds", "from_words", "from_media"),
    [
        (PICTURES, "text-to-image", "image-to-image"),
        (("text-to-video", "image-to-video"), "text-to-video", "image-to-video"),
        (("text-to-image", "text-to-video"), None, None),
        (("text-to-image", "image-to-image", "image-to-video"), "text-to-image", None),
        (("noop", "any"), None, None),
        ((), None, None),
    ],
)
def test_words_or_media_decide_it_where_one_kind_fits(kinds, from_words, from_media):
    assert by_source(kinds, from_media=False) == from_words
    assert by_source(kinds, from_media=True) == from_media
