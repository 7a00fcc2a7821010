"""Addresses of web servers and of stores, and what people mistype in them."""

import pytest

from genpulse.addresses.web import refusal, refusal_of_endpoint, refusal_of_store


@pytest.mark.parametrize(
    "url", ["https://v.example", "http://127.0.0.1:9000/v1", "HTTPS://[2001:db8::1]:8443/", "http://u:p@h"]
)
def test_an_address_of_a_web_server_is_taken(url):
    assert refusal(url) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:9000", "must begin with http:// or https://"),
        ("v.example/v1", "must begin with"),
        ("ftp://v.example", "must begin with"),
        ("https://", "names no host"),
        ("https://:8443/x", "names no host"),
        ("https://h:x/", "'x' is no port"),
        ("https://u:s3cret/x@h/", "/ is %2F"),
        ("https://[::1/", "stands in brackets"),
        ("https://h/v1?key=s3cret", "it has a ?, and paths are put behind it"),
        ("https://h/v1#s3cret", "it ends at its #"),
        ("https://h?s3cret", "it has a ?"),
        ("https://a,b/v1", "or several"),
    ],
)
def test_one_that_means_nothing_is_refused_without_its_password(url, words):
    assert words in refusal(url)
    assert "s3cret" not in refusal(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "HTTPS://S3.example/a/b%20c", "http://[2001:db8::1]:9"])
def test_an_endpoint_is_taken(url):
    assert refusal_of_endpoint(url) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:9000", "must begin with http:// or https://"),
        ("minio", "must begin with http:// or https://"),
        ("http://ü.example", "'ü' is a sign that no address has"),
        ("http://h/a b", "' ' is a sign that no address has"),
        *((f"http://h{sign}", "is a sign that no address has") for sign in '\\"<>^`{|}\x7f'),
        ("http://h\n", "blank"),
        ("http://u:s3cret@h", "a user or a password in it is not read"),
        ("http://h?a", "it has a ?"),
        ("http://h/#a", "it ends at its #"),
    ],
)
def test_an_endpoint_over_which_the_client_would_panic_is_refused(url, words):
    assert words in refusal_of_endpoint(url)
    assert "s3cret" not in refusal_of_endpoint(url)


@pytest.mark.parametrize(
    "url",
    [
        "file:.genpulse/storage",
        "file:folder#1",
        "file:///folder",
        "memory:///",
        "s3://b",
        "gs://b/p",
        "az://c/p/q",
    ],
)
def test_an_address_of_a_store_is_taken(url):
    assert refusal_of_store(url) == ""


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://x", "expected file:///folder, s3://bucket/prefix"),
        ("bucket/prefix", "expected file:///folder"),
        ("s3:bucket", "expected file:///folder"),
        ("s3://", "names no bucket"),
        ("s3:///prefix", "names no bucket"),
        ("s3://s3cret:s3cret@/", "names no bucket"),
        ("s3://b/p#s3cret", "a # of a name or a value is %23"),
        ("s3://b/p?s3cret", "write %3F where it is of a name"),
        ("file:///folder#1", "%23"),
        ("file:///folder?1", "%3F"),
    ],
)
def test_one_of_no_store_is_refused(url, words):
    assert words in refusal_of_store(url)
    assert "s3cret" not in refusal_of_store(url)
