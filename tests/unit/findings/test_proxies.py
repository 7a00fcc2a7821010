"""What `genpulse doctor` says of the proxies of its process."""

import socket

from genpulse.addresses.proxies import NO_PROXIES, Proxies
from genpulse.cli.doctor.finding import Level
from genpulse.cli.doctor.proxies import proxies
from genpulse.dev.processes.ports import free_port


def test_nothing_where_there_is_none():
    assert list(proxies(NO_PROXIES)) == []


def test_what_goes_by_which_is_told_without_a_login():
    with socket.create_server(("127.0.0.1", 0)) as there:
        url = f"http://user:secret@127.0.0.1:{there.getsockname()[1]}"
        [found] = proxies(Proxies.of({"HTTPS_PROXY": url, "NO_PROXY": ".example.com, 10.0.0.0/8"}))
    assert found.level is Level.OK
    assert found.detail == (
        f"vendors, webhooks and storage: https by {url.replace('user:secret@', '')} (HTTPS_PROXY), http directly;"
        " directly: this machine, and NO_PROXY (.example.com, 10.0.0.0/8)"
    )


def test_one_that_is_away_is_wrong():
    gone, nowhere = f"http://user:secret@127.0.0.1:{free_port()}", "http://user:secret@nowhere.invalid:1"
    found = list(proxies(Proxies.of({"https_proxy": gone, "HTTP_PROXY": nowhere})))
    assert [each.level for each in found] == [Level.OK, Level.WRONG, Level.WRONG]
    assert [
        name for each, name in zip(found[1:], ("HTTP_PROXY", "https_proxy"), strict=True) if name in each.advice
    ]
    assert "secret" not in repr(found)
