"""Every command says in the same words what is wrong with a server, and never that it did not expect that."""

import asyncio
import os

import pytest

from genpulse.dev.processes.ports import free_port
from tests import command
from tests.wrong_servers import http_server

ENDING = [("db", "upgrade"), ("keys", "list"), ("doctor",)]
SERVING = [("worker",)]
"""This one waits for a server that may come, and tells the log meanwhile."""


async def said(folder, verb, words, **variables):
    """All that a command says, or what it says until it has said these words."""
    plain = {"PATH": os.defpath, "ENV": "dev", "GENPULSE_API__PORT": str(free_port())}
    running = command.start(*verb, folder=folder, environment=plain | variables, merged=True)
    text = ""
    with running.stdout:
        while (line := await asyncio.to_thread(running.stdout.readline)) and not (
            verb in SERVING and words in text
        ):
            text = " ".join(f"{text} {line}".split())
        if verb in SERVING:
            running.kill()
        assert await asyncio.to_thread(running.wait) != 0, text
    return text


QUICK = ("db", "upgrade")
VERBS = [
    pytest.param(verb, id=" ".join(verb), marks=() if verb == QUICK else pytest.mark.slow)
    for verb in (*ENDING, *SERVING)
]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_wrong_database_is_told_in_the_same_words_by_every_command(
    tmp_path, migrated_url, redis_server, verb
):
    scheme, _, rest = migrated_url.partition("://")
    login, _, place = rest.rpartition("/")[0].rpartition("@")
    user, _, password = login.partition(":")
    async with http_server() as port:
        wrong = {
            f"{scheme}://{user}:wrong@{place}/x": "the user or the password of GENPULSE_DATABASE_URL",
            f"{scheme}://{login}@{place}/nope": "has no such database",
            f"{scheme}://{login}@127.0.0.1:{port}/x?sslmode=require": "another kind of server",
            f"{scheme}://{login}@127.0.0.1:{free_port()}/x": "Nothing listens where GENPULSE_DATABASE_URL names",
        }
        for url, words in wrong.items():
            servers = {"GENPULSE_DATABASE_URL": url, "GENPULSE_REDIS__URL": redis_server.url}
            text = await said(tmp_path, verb, words, **servers)
            assert words in text, (verb, url)
            for never in ("unexpected error", "Traceback", password, "DBAPIError", "sqlalche.me"):
                assert never not in text, (verb, url, text)
