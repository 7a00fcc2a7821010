"""Addresses of PostgreSQL, as hosted vendors print them and as people mistype them."""

import pytest

from genpulse.addresses.postgresql import BadDatabaseAddress, plain, refusal, system_store

GOOD = "postgresql://u:s3cret@db.example:5432/d"


@pytest.mark.parametrize(
    "asked",
    [
        "channel_binding=require",
        "sslmode=require&channel_binding=require",
        "connect_timeout=10",
        "gssencmode=disable",
        "keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=5",
        "application_name=app&client_encoding=utf8",
        "tcp_user_timeout=1000&load_balance_hosts=random",
        "options=-c%20search_path%3Dapp",
        "target_session_attrs=any",
    ],
)
def test_every_key_of_libpq_is_taken_or_dropped_before_the_driver_hands_it_to_the_server(asked):
    found = plain(f"{GOOD}?{asked}")
    kept = [part for part in asked.split("&") if part.startswith(("sslmode", "options", "target"))]
    assert found == GOOD + (f"?{'&'.join(kept)}" if kept else "")
    assert plain(found) == found


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"{GOOD}?sslmod=require", "nobody knows 'sslmod' in its query. Did you mean sslmode?"),
        (f"{GOOD}?pgbouncer=true", "set database.pooler to session or transaction"),
        (f"{GOOD}?search_path=app", "nobody knows 'search_path'"),
        (f"{GOOD}?gsslib=heimdal", "gsslib in its query has to be gssapi, sspi"),
        (f"{GOOD}?sslmode=yes", "sslmode in its query has to be disable, allow, prefer, require"),
        (
            f"{GOOD}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem",
            "the file /nowhere/ca.pem, which is not there",
        ),
        (f"{GOOD}?sslkey=s3cret", "sslkey in its query names a file that is not there"),
        (f"{GOOD}?sslmode=require&sslrootcert=system", "goes with sslmode=verify-full alone"),
        ("postgresql://u:s3cret@db:99999/d", "'99999' is no port; a port is a number from 1 to 65535"),
        ("postgresql://u:s3cret@db:abc/d", "'abc' is no port"),
        ("postgresql://u:s3cret@db:0/d", "'0' is no port"),
        ("postgresql://u:s3cret@a:1,b:70000/d", "'70000' is no port"),
        ("postgresql://u:s3cret@[::1]:x/d", "'x' is no port"),
        ("postgresql://u:s3cret#x@db/d", "# is %23"),
        ("postgresql://u:s3cret/x@db:5432/d", "/ is %2F"),
        ("postgresql://u:s3cret℀x@db:5432/d", "/ is %2F"),
        ("postgresql://u:s3cret?x@db:5432/d", "? is %3F"),
        ("postgresql://u:12?s3cret@db:5432/d", "? is %3F"),
        ("postgresql://u:12/s3cret@db:5432/d", "/ is %2F"),
        ("postgresql://u:s3cret@x@db/d", "@ is %40"),
        ("postgresql://u:[s3cret]@db:6543/d", "[ is %5B"),
        ("postgresql://u:s3cret@[::1/d", "stands in brackets"),
        ("postgresql://u:s3cret@[::g]/d", "stands in brackets"),
        ("postgresql://u:s3cret@[::1]x:5/d", "stands in brackets"),
        ("postgresql://u:s3cret@2001:db8::1:5432/d", "stands in brackets"),
        ("postgresql://u:s3cret@d b/d", "has a blank or a bracket"),
        ("postgresql://u:s3cret@/d?host=a&port=abc", "'abc' is no port"),
        (f"{GOOD}?sslmode=verify-ca", "sslrootcert=/path/of/the/authority.pem"),
        (f"{GOOD}?sslnegotiation=direct", "sslnegotiation=direct goes with sslmode=require"),
        (f"{GOOD}?sslmode=require&ssl_min_protocol_version=1.2", "has to be TLSv1, TLSv1.1"),
        ("postgresql://u:s3cret@db", "names no database: add /database behind the host"),
        ("postgresql://u:s3cret@db/", "names no database"),
        ("postgresql://u:p@db/d#s3cret", "it ends at its #"),
        ("postgresql://u:p@a,b/d?sslmode=require#s3cret", "it ends at its #"),
        ("postgresql://u:p@db/d?password=x#s3cret", "a # of a name or a value is %23"),
        ("mysql://u:s3cret@db/d", "must begin with postgresql://"),
        ("null", "must begin with postgresql://"),
        ("db.example/d", "must begin with postgresql://"),
    ],
)
def test_an_address_that_means_nothing_is_refused_in_one_sentence_without_its_password(
    url, words, monkeypatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert words in refusal(url)
    assert "s3cret" not in refusal(url)
    with pytest.raises(BadDatabaseAddress, match="database_url: "):
        plain(url)


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        "postgres://u@db/d",
        "postgresql+asyncpg://u:p@a:1,b/d",
        "postgresql://u:p@[::1]:1,[::2]/d",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://u@db?dbname=d",
        "postgresql://u%40srv:p%40%3A%2F%23%3F@db:/d?sslmode=require",
        "postgresql://u:p:q@db/d",
        "postgresql://db/d?user=a%40b",
        "postgresql://db/d?user=a@b",
        "postgresql://u:p@%2Frun%2Fpostgresql/d",
        "postgresql:///?service=mine",
    ],
)
def test_what_libpq_takes_is_taken(url):
    assert refusal(url) == ""


def test_the_systems_own_authorities_are_a_file_for_the_driver():
    store = system_store()
    url = f"{GOOD}?sslrootcert=system"
    if store is None:
        assert "install ca-certificates" in refusal(url)
    else:
        assert plain(url) == f"{GOOD}?sslmode=verify-full&sslrootcert={store}"
        assert plain(f"{url}&sslmode=verify-full") == plain(url)


def test_verification_without_a_named_authority_goes_by_the_users_own_or_the_systems(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    url = f"{GOOD}?sslmode=verify-full"
    store = system_store()
    assert (plain(url) == f"{url}&sslrootcert={store}") if store else "needs an authority" in refusal(url)
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql/root.crt").write_text("")
    assert plain(url) == url


def test_a_database_in_the_query_counts_behind_an_empty_path_too():
    assert plain("postgresql://u@db/?dbname=d") == "postgresql://u@db?dbname=d"
