"""How outputs are shown, by what they are."""

import pytest

from genpulse.console.views.outputs import OutputForm, form_of


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("image/png", OutputForm.PICTURE),
        ("image/webp", OutputForm.PICTURE),
        ("image/svg+xml", OutputForm.FILE),
        ("text/html", OutputForm.FILE),
        ("application/xhtml+xml", OutputForm.FILE),
        ("text/xml", OutputForm.FILE),
        ("application/pdf", OutputForm.FILE),
        ("video/mp4", OutputForm.VIDEO),
        ("audio/wav", OutputForm.AUDIO),
        ("text/plain", OutputForm.TEXT),
        ("application/json", OutputForm.TEXT),
    ],
)
def test_drawings_and_pages_are_never_rendered(media_type, form):
    assert form_of(media_type) is form
