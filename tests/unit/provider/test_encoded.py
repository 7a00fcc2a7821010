"""What was paid for is in the answer, however it is written down."""

import base64
from urllib.parse import quote, quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genpulse.provider.encoded import data_uri, decoded, is_data_uri

FOX = bytes(range(256)) * 3 + b"fox"
PLAIN = base64.b64encode(FOX).decode()
URL = base64.urlsafe_b64encode(FOX).decode()


def in_lines(text: str, width: int, end: str) -> str:
    return end.join(text[start : start + width] for start in range(0, len(text), width)) + end


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip("="),
        f"{PLAIN}==",
        URL,
        URL.rstrip("="),
        in_lines(PLAIN, 76, "\r\n"),
        in_lines(URL, 60, "\n\t "),
        f"\n  {PLAIN}  \n",
        quote(PLAIN, safe=""),
        f"data:image/png;base64,{PLAIN}",
        f"data:image/png;base64,{URL.rstrip('=')}",
        f"DATA:image/PNG;charset=utf-8;BASE64,{in_lines(PLAIN, 76, chr(10))}",
        f"data:;base64,{PLAIN}",
        f" data:image/png;base64,\n{quote(PLAIN, safe='')}",
        f"data:image/png,{quote_from_bytes(FOX)}",
        f"data:,{quote_from_bytes(FOX, safe='')}",
    ],
)
def test_every_way_to_write_it(text):
    assert decoded(text) == FOX


@pytest.mark.parametrize(
    ("uri", "media_type", "content"),
    [
        ("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", b"<svg xmlns="),
        ("data:image/svg+xml;utf8,%3Csvg%20fill=%22#fff%22/%3E", "image/svg+xml", b'<svg fill="#fff"/>'),
        ("data:text/plain;charset=utf-8,a+fox%2C%20red", "text/plain", b"a+fox, red"),
        ("data:,%F0%9F%A6%8A", "", "🦊".encode()),
        ("data:,🦊", "", "🦊".encode()),
    ],
)
def test_a_data_uri_without_base64(uri, media_type, content):
    named, found = data_uri(uri)
    assert named == media_type
    assert found.startswith(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "=",
        "a",
        "abcde",
        "%%%%",
        "ab=cd",
        "a red fox at dawn.",
        "https://vendor.example/a.png",
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,",
        "data:image/png;base64,%%",
        "data:image/png;base64,ab$d",
        "data:image/png,",
        "<svg/>",
        "\ud83d",
        "data:,\ud83d",
        "ä" * 8,
        "null",
        "failed",
        "content_policy_violation",
        "/static/pictures",
        "ERROR",
        "No-Picture",
    ],
)
def test_what_cannot_be_read_is_one_error(text):
    with pytest.raises(ValueError, match=r"it is|URI is empty|can't encode"):
        decoded(text)


_WRITTEN = st.sampled_from([base64.b64encode, base64.urlsafe_b64encode])
_HEADS = st.sampled_from(["", "data:;base64,", "data:image/png;base64,", "data:video/mp4;codecs=x;base64,"])


@given(st.binary(min_size=26), _WRITTEN, _HEADS, st.booleans(), st.integers(1, 100), st.booleans())
def test_round_trips(content, written, head, is_padded, width, is_quoted):
    text = written(content).decode()
    text = text if is_padded else text.rstrip("=")
    text = in_lines(text, width, "\r\n")
    assert decoded(head + (quote(text, safe="") if is_quoted else text)) == content


@given(st.binary(min_size=1), st.sampled_from(["", "image/png", "text/plain;charset=utf-8"]))
def test_percent_encoding_round_trips(content, head):
    assert data_uri(f"data:{head},{quote_from_bytes(content)}")[1] == content


@given(st.text())
def test_any_text_is_bytes_or_one_error(text):
    try:
        assert decoded(text)
    except ValueError:
        return


@given(st.text(), st.text())
def test_any_data_uri_is_bytes_or_one_error(head, content):
    assert is_data_uri(f"data:{head}")
    try:
        assert data_uri(f"data:{head},{content}")[1]
    except ValueError:
        return
