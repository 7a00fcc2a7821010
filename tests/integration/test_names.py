"""Names lead to addresses, and one that hangs keeps nobody else from his own."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from genpulse.adapters.http.http_client import HttpClient
from genpulse.adapters.network.name_resolver import NameNotFound, NameResolver, NameTimeout
from genpulse.adapters.network.public_address import AddressRefused, PublicResolver
from genpulse.adapters.webhooks.sender import WebhookSender
from genpulse.domain.errors import ProviderUnavailable
from genpulse.provider.http import Request
from tests.integration.name_server import name_server
from tests.integration.webhooks.rude import receiver, says

BODY = b"{}"


class NoThreads(ThreadPoolExecutor):
    """In place of the threads that all of asyncio shares."""

    def submit(self, *args, **kwargs):
        raise AssertionError("a thread of asyncio's own was used")


@pytest.fixture(autouse=True)
async def no_threads():
    loop = asyncio.get_running_loop()
    loop.set_default_executor(NoThreads())
    yield
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))


@pytest.fixture
async def resolvers():
    """Makes resolvers that are closed in the end."""
    made = []

    def make(**options):
        made.append(NameResolver(**options))
        return made[-1]

    yield make
    for each in made:
        await each.close()


async def addresses(resolver, name, family=socket.AF_UNSPEC):
    return {found["host"] for found in await resolver.resolve(name, 80, family)}


async def test_names_of_this_machine_need_no_server(resolvers):
    async with name_server() as server:
        resolver = resolvers(servers=[server.address])
        assert "127.0.0.1" in await addresses(resolver, "localhost")
        assert await addresses(resolver, "localhost", socket.AF_INET) == {"127.0.0.1"}
        assert server.hanging == set()


async def test_addresses_are_their_own(resolvers):
    resolver = resolvers()
    assert await addresses(resolver, "127.0.0.1") == {"127.0.0.1"}
    assert await addresses(resolver, "::1") == {"::1"}


async def test_a_server_tells_all_addresses(resolvers):
    async with name_server(a_example=["93.184.216.34", "93.184.216.35", "2606:2800::1"]) as server:
        resolver = resolvers(servers=[server.address])
        (first, *_) = found = await resolver.resolve("a.example", 443, socket.AF_UNSPEC)
        assert {each["host"] for each in found} == {"93.184.216.34", "93.184.216.35", "2606:2800::1"}
        assert (first["hostname"], first["port"]) == ("a.example", 443)
        assert await addresses(resolver, "a.example", socket.AF_INET) == {"93.184.216.34", "93.184.216.35"}


NOWHERE = ["gone.example", "a..b", "x" * 300 + ".example", "", "ä.example", "\udcff", "a b"]


@pytest.mark.parametrize("name", NOWHERE, ids=range(len(NOWHERE)))
async def test_names_that_lead_nowhere(resolvers, name):
    async with name_server(gone_example=[]) as server:
        with pytest.raises(NameNotFound):
            await resolvers(servers=[server.address], limit_s=0.5).resolve(name, 80, socket.AF_UNSPEC)


async def test_the_system_is_asked_where_that_is_wanted(resolvers):
    async with name_server(**{"127_1": []}) as server:
        with pytest.raises(NameNotFound):
            await resolvers(servers=[server.address]).resolve("127.1", 80, socket.AF_UNSPEC)
        asks = resolvers(servers=[server.address], asks_system=True)
        assert await addresses(asks, "127.1") == {"127.0.0.1"}


async def test_a_hundred_that_hang_keep_nobody_waiting(resolvers):
    async with name_server(quick_example=["93.184.216.34"]) as server:
        resolver = resolvers(servers=[server.address], limit_s=30.0)
        hanging = [asyncio.create_task(addresses(resolver, f"h{number}.example")) for number in range(100)]
        async with asyncio.timeout(60):
            while not server.hanging:
                await asyncio.sleep(0.01)
        assert await addresses(resolver, "quick.example") == {"93.184.216.34"}
        assert not all(task.done() for task in hanging)
        await resolver.close()
        done = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(error, NameNotFound) for error in done)


async def test_a_name_that_hangs_has_a_time_limit(resolvers):
    async with name_server() as server:
        with pytest.raises(NameTimeout, match=r"h\.example has led to no address within 0\.2 s"):
            await addresses(resolvers(servers=[server.address], limit_s=0.2), "h.example")


async def test_it_can_be_closed_while_names_hang_and_used_again(resolvers):
    async with name_server(quick_example=["93.184.216.34"]) as server:
        resolver = resolvers(servers=[server.address])
        hanging = asyncio.create_task(addresses(resolver, "h.example"))
        await asyncio.sleep(0.05)
        await resolver.close()
        with pytest.raises(NameNotFound):
            await hanging
        assert await addresses(resolver, "quick.example") == {"93.184.216.34"}


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
async def test_one_address_inside_is_enough_to_refuse_a_name(inside):
    async with name_server(a_example=["93.184.216.34", inside]) as server:
        resolver = PublicResolver(NameResolver(servers=[server.address]))
        with pytest.raises(AddressRefused, match=r"a\.example leads to"):
            await resolver.resolve("a.example", 80, socket.AF_UNSPEC)
        sender = WebhookSender(None, allow_private=False, version="1", name_servers=[server.address])
        answer = await sender.send("http://a.example/hook", "msg_1", BODY, now=datetime.now(UTC))
        await resolver.close()
        await sender.close()
    assert "not a public address" in answer.error


async def test_a_name_that_changes_its_mind_is_asked_once_a_message():
    """What was checked is connected to: a second look would be a way inside."""
    async with name_server(a_example=["127.0.0.1"]) as server, receiver(says()) as url:
        sender = WebhookSender(None, allow_private=True, version="1", name_servers=[server.address])
        named = url.replace("127.0.0.1", "a.example")
        answer = await sender.send(named, "msg_1", BODY, now=datetime.now(UTC))
        await sender.close()
    assert answer.is_taken


async def test_webhooks_whose_names_hang_keep_no_vendor_from_being_asked():
    async with name_server(vendor_example=["127.0.0.1"]) as server, receiver(says()) as url:
        sender = WebhookSender(None, allow_private=True, version="1", name_servers=[server.address])
        client = HttpClient("1", name_servers=[server.address])
        hanging = [
            asyncio.create_task(sender.send(f"https://h{number}.example/", "msg_1", BODY, now=datetime.now(UTC)))
            for number in range(6)
        ]
        async with asyncio.timeout(60):
            while len(server.hanging) < 6:
                await asyncio.sleep(0.01)
        vendor = url.replace("127.0.0.1", "vendor.example")
        replies = [await client.send(Request("POST", vendor, json={}, own_connection=True)) for _ in range(3)]
        assert not any(task.done() for task in hanging)
        answers = await asyncio.gather(*hanging)
        await client.close()
        await sender.close()
    assert [reply.status for reply in replies] == [204] * 3
    assert all(answer.silent and "has led to no address" in answer.error for answer in answers)


async def test_a_vendor_whose_name_hangs_or_is_unknown_was_never_asked():
    async with name_server(gone_example=[]) as server:
        client = HttpClient("1", name_servers=[server.address])
        for name in ("hangs.example", "gone.example"):
            with pytest.raises(ProviderUnavailable, match="cannot be reached"):
                await client.send(Request("POST", f"http://{name}/", json={}, timeout_s=30))
        await client.close()
