"""Which file a text names."""

from uuid import UUID

import pytest

from genpulse.domain.submission.file_reference import Medium, TaskOutput, asset_named, fits, output_named

ID = UUID("0197a3a6-1111-7222-8333-00000000abcf")
CONTENT = f"/v1/assets/{ID}/content"


@pytest.mark.parametrize(
    ("text", "output"),
    [
        (f"task:{ID}", TaskOutput(ID)),
        (f"task:{ID.hex.upper()}", TaskOutput(ID)),
        (f"task:{ID}#0", TaskOutput(ID)),
        (f"task:{ID}#12", TaskOutput(ID, 12)),
        (f"task:{ID}#", None),
        (f"task:{ID}#-1", None),
        (f"task:{ID}#\u0661", None),
        (f"task:{ID} ", None),
        (f"{ID}", None),
        ("task: write the report", None),
    ],
)
def test_an_output_of_a_task_is_named_by_its_number(text, output):
    assert output_named(text) == output


@pytest.mark.parametrize(
    ("text", "api_url"),
    [
        (f"asset:{ID}", ""),
        (f"https://media.example{CONTENT}", "https://media.example"),
        (f"https://media.example:443{CONTENT}", "https://media.example/"),
        (f"https://MEDIA.example{CONTENT}?expires=7&signature=x", "https://media.example"),
        (f"https://example.org/gen{CONTENT}", "https://example.org/gen"),
        (f"http://localhost:8000{CONTENT}", "http://127.0.0.1:8000"),
        (f"http://[::1]:8000{CONTENT}", "http://localhost:8000"),
    ],
)
def test_our_own_address_names_an_asset(text, api_url):
    assert asset_named(text, api_url) == ID


@pytest.mark.parametrize(
    "text",
    [
        f"https://media.example.evil{CONTENT}",
        f"https://media.example@evil.example{CONTENT}",
        f"http://media.example{CONTENT}",
        f"https://media.example:8443{CONTENT}",
        f"https://media.example:x{CONTENT}",
        f"https://media.example/other{CONTENT}",
        f"https://media.example/v1/assets/{ID}",
        f"https://media.example{CONTENT} and words",
        f"https://[media.example{CONTENT}",
        f"see https://media.example{CONTENT}",
        "asset:1",
        "",
    ],
)
def test_no_other_address_does(text):
    assert asset_named(text, "https://media.example") is None


def test_without_an_address_of_ours_no_address_is_ours():
    assert asset_named(f"https://media.example{CONTENT}", "") is None


@pytest.mark.parametrize(
    ("media_type", "media", "is_fitting"),
    [
        ("image/png", (Medium.IMAGE,), True),
        ("video/mp4", (Medium.IMAGE,), False),
        ("VIDEO/mp4", (Medium.IMAGE,), False),
        ("video/mp4", (Medium.IMAGE, Medium.VIDEO), True),
        ("video/mp4", (), True),
        ("application/octet-stream", (Medium.IMAGE,), True),
        ("", (Medium.IMAGE,), True),
    ],
)
def test_what_is_known_to_be_something_else_does_not_fit(media_type, media, is_fitting):
    assert fits(media_type, media) is is_fitting
