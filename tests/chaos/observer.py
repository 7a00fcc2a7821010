"""Sees each change of a task's state where it is committed, and hears when a lost worker's task is taken over."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

CHANNEL = "chaos_take_over"
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

_INSTALL = f"""
CREATE SCHEMA chaos;
CREATE TABLE chaos.changes (
    task_id uuid NOT NULL, was text NOT NULL, now text NOT NULL, was_seq bigint NOT NULL, now_seq bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.changes (task_id, was, now, was_seq, now_seq)
    VALUES (new.id, old.status, new.status, old.seq, new.seq);
    IF old.status = 'running' AND new.status = 'running' THEN
        PERFORM pg_notify('{CHANNEL}', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_note AFTER UPDATE ON tasks FOR EACH ROW
WHEN (old.status <> new.status OR old.attempt <> new.attempt) EXECUTE FUNCTION chaos.note();
"""


async def install(url: str) -> None:
    """Put the trigger into the database, beside the product's own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_INSTALL)
    finally:
        await connection.close()


class TakeOvers:
    """Await `next()` to be there when a task of a lost worker is taken over."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._heard = asyncio.Event()
        self.count = 0

    async def listen(self) -> None:
        """Until it is cancelled, over all outages."""
        while True:
            with suppress(*AWAY):
                await self._until_lost()
            await asyncio.sleep(0.2)

    async def _until_lost(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(self._url, timeout=2)
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._hear())
            await lost.wait()
        finally:
            connection.terminate()

    def _hear(self) -> Callable[..., None]:
        def hear(*_: Any) -> None:
            self.count += 1
            self._heard.set()

        return hear

    async def next(self, within_s: float) -> bool:
        """True as soon as one has been committed, False when none was within that time."""
        self._heard.clear()
        try:
            await asyncio.wait_for(self._heard.wait(), within_s)
        except TimeoutError:
            return False
        return True
