"""Addresses of Redis, and what people mistype in them."""

import pytest

from genpulse.adapters.redis.address import address_of
from genpulse.addresses.redis import refusal

GOOD = [
    "redis://cache",
    "redis://:s3cret@cache:6379/0",
    "rediss://u:s3cret@cache:6380/1?ssl_cert_reqs=required&socket_timeout=5",
    "unix:///run/redis.sock?db=1",
    "redis+sentinel://:s3cret@a:26379,b/main/0?sentinel_password=x",
    "rediss+cluster://a:7000,b:7001?ssl_check_hostname=false",
    "redis://cache/0?protocol=3&client_name=mine",
    "rediss://:p%40%3A%2F%23%3F@cache:6380/0",
    "rediss://:a@b=@cache:6380/0",
    "redis://[2001:db8::1]:6379/0",
    "redis://cache:/0",
]


@pytest.mark.parametrize("url", GOOD)
def test_what_is_meant_is_taken_here_and_by_the_client(url):
    assert refusal(url) == ""
    assert address_of(url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "rediss://:s3cret@cache?ssl_cert_req=none",
            "nobody knows 'ssl_cert_req' in its query. Did you mean ssl_cert_reqs?",
        ),
        ("redis://:s3cret@cache?ssl_cert_reqs=none", "nobody knows 'ssl_cert_reqs'"),
        ("rediss://cache?ssl_cert_reqs=no", "has to be none, optional, required, and is 'no'"),
        ("rediss://cache?ssl_ca_certs=/nowhere.pem", "the file /nowhere.pem, which is not there"),
        ("redis://cache?decode_responses=true", "nobody knows 'decode_responses'"),
        ("redis://cache?socket_timeout=soon", "has to be a number, and is 'soon'"),
        ("redis://r:abc/0", "'abc' is no port"),
        ("redis://r:70000/0", "'70000' is no port"),
        ("redis://r/x", "'x' is no database of it"),
        ("rediss://:s3cret/x@r:6380/0", "/ is %2F"),
        ("rediss://:s3cret#x@r:6380/0", "# is %23"),
        ("rediss://:s3cret?x@r:6380/0", "? is %3F"),
        ("rediss://:[s3cret]@r:6380/0", "[ is %5B"),
        ("redis://:s3cret@[::1/0", "stands in brackets"),
        ("redis://::1:6379/0", "stands in brackets"),
        ("redis://r x:6379/0", "has a blank"),
        ("redis://a:1,b:2/0", "several hosts go with redis+sentinel:// or redis+cluster://"),
        ("redis://r/\u00b2", "is no database of it"),
        ("redis://r/99999999999999999999", "is no database of it"),
        ("redis://r?db=1.5", "has to be a number, and is '1.5'"),
        ("redis://r?max_connections=1.5", "has to be a number"),
        ("rediss://r?ssl_min_version=TLSv1.2", "nobody knows 'ssl_min_version'"),
        ("rediss://r?ssl_check_hostname=maybe", "has to be true"),
        ("unix://run/redis.sock", "write unix:///path"),
        ("redis+sentinel:///main", "names no host"),
        ("redis+sentinel://a,b", "names no service behind its Sentinels"),
        ("redis://r/0#s3cret", "it ends at its #"),
        ("redis+sentinel://r/main?password=x#s3cret", "a # of a name or a value is %23"),
        ("http://r", "must begin with one of redis://"),
        ("r:6379", "must begin with one of redis://"),
    ],
)
def test_an_address_that_means_nothing_is_refused_in_one_sentence_without_its_password(url, words):
    assert words in refusal(url)
    assert "s3cret" not in refusal(url)
