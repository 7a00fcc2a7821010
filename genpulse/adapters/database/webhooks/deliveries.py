"""Messages about tasks, kept in PostgreSQL.

A trigger writes each in the very statement that ends its task or begins it, whichever statement that is.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from uuid import UUID

import asyncpg

from genpulse.adapters.database.coalescer import Coalescer
from genpulse.adapters.database.tasks.rows import Row, task_of, uuid_of
from genpulse.adapters.postgresql.connections import outages
from genpulse.domain.errors import UnknownDelivery
from genpulse.domain.search.backlog import Backlog
from genpulse.domain.search.failing_receiver import COUNTED_AT_MOST, FailingReceiver
from genpulse.domain.task import Task
from genpulse.domain.text.storable import storable_line
from genpulse.domain.webhook_delivery import PROGRESSED, STARTED, Answer, Delivery, Unreadable

PUT_OFF_AT_ONCE = 10_000

_COLUMNS = """id AS delivery_id, task_id, type, url, created_at AS noted_at, tries, status_code, last_error,
       next_try_at, delivered_at, given_until, origin, environment, form, follows,
       request_excerpt, answer_excerpt"""
# A value and no EXISTS, of which the planner would make a table of all that wait.
_FOLLOWS_NOTHING = """
(follows IS NULL OR coalesce((
    SELECT earlier.next_try_at IS NULL OR earlier.tries > 0 FROM deliveries AS earlier
    WHERE earlier.id = deliveries.follows), true))"""
_OURS = "($1::text IS NULL OR environment = $1)"
# From origin to origin along the index: however many messages wait for one, another's is found at once.
_DUE = f"""
WITH RECURSIVE origins AS (
    (SELECT origin, next_try_at FROM deliveries
     WHERE next_try_at IS NOT NULL AND EXISTS (SELECT FROM deliveries WHERE next_try_at <= now())
     ORDER BY origin, next_try_at LIMIT 1)
    UNION ALL
    SELECT following.* FROM origins, LATERAL (
        SELECT origin, next_try_at FROM deliveries WHERE next_try_at IS NOT NULL AND origin > origins.origin
        ORDER BY origin, next_try_at LIMIT 1) AS following
), front AS (
    SELECT waiting.id
    FROM origins LEFT JOIN unnest($5::text[], $6::int[]) AS used(origin, room) USING (origin), LATERAL (
        SELECT id, next_try_at, row_number() OVER (ORDER BY next_try_at) AS place FROM (
            SELECT id, next_try_at FROM deliveries
            WHERE deliveries.origin = origins.origin AND next_try_at <= now() AND {_OURS}
              AND {_FOLLOWS_NOTHING}
            ORDER BY next_try_at LIMIT greatest(coalesce(used.room, $4), 0)) AS first) AS waiting
    WHERE origins.next_try_at <= now()
    ORDER BY waiting.place, waiting.next_try_at LIMIT $2
), chosen AS (
    SELECT id FROM deliveries WHERE id IN (SELECT id FROM front) AND next_try_at <= now() FOR UPDATE SKIP LOCKED
)
UPDATE deliveries SET next_try_at = now() + make_interval(secs => $3)
WHERE id IN (SELECT id FROM chosen) RETURNING {_COLUMNS}
"""
_TOLD = """
SELECT deliveries.id AS delivery_id, told.*
FROM deliveries, LATERAL jsonb_populate_record(NULL::tasks, deliveries.task) AS told
WHERE deliveries.id = ANY($1::uuid[])
  AND NOT EXISTS (SELECT FROM tasks WHERE tasks.id = deliveries.task_id AND tasks.deleted_at IS NOT NULL)
"""
_TAKEN = """
UPDATE deliveries SET tries = tries + 1, status_code = said.status_code, last_error = '', next_try_at = NULL,
       delivered_at = now(), tried_at = now(), request_excerpt = said.request, answer_excerpt = said.answer
FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) AS said(delivery_id, status_code, request, answer)
WHERE deliveries.id = said.delivery_id
"""
_LATER = """CASE WHEN given_until > now() AND $2::float8 IS NOT NULL
            THEN least(given_until, now() + make_interval(secs => $2)) END"""
_NOT_TAKEN = f"""
UPDATE deliveries SET tries = tries + 1, status_code = $3, last_error = $4, next_try_at = {_LATER},
       tried_at = now(), request_excerpt = $5, answer_excerpt = $6
WHERE id = $1 AND delivered_at IS NULL RETURNING next_try_at
"""
_LEAVE = f"""
UPDATE deliveries SET next_try_at = {_LATER}, last_error = $3,
       tried_at = CASE WHEN given_until > now() THEN tried_at ELSE now() END
WHERE id = $1 AND delivered_at IS NULL
"""
_PUT_OFF = f"""
UPDATE deliveries SET next_try_at = {_LATER},
       last_error = CASE WHEN given_until > now() THEN last_error ELSE $4 END,
       tried_at = CASE WHEN given_until > now() THEN tried_at ELSE now() END
WHERE id IN (SELECT id FROM deliveries WHERE origin = $3 AND next_try_at <= now() AND {_OURS}
             ORDER BY next_try_at LIMIT {PUT_OFF_AT_ONCE} FOR UPDATE SKIP LOCKED)
"""
_OF_TASK = f"SELECT {_COLUMNS} FROM deliveries WHERE task_id = $1 ORDER BY created_at, id"
_BACKLOG = f"""
SELECT count(*) AS count,
       coalesce(greatest(extract(epoch FROM now() - min(next_try_at)), 0), 0)::float8 AS overdue_s
FROM deliveries WHERE next_try_at IS NOT NULL AND {_OURS}
"""
_AGAIN = f"""
UPDATE deliveries SET next_try_at = now(), delivered_at = NULL, given_until = now() + interval '24 hours',
       origin = webhook_origin(url), environment = coalesce(task ->> 'environment', environment)
WHERE id = $1 AND task_id = $2 RETURNING {_COLUMNS}
"""
_ENDS = f"type NOT IN ('{STARTED}', '{PROGRESSED}')"
_FAILING_MESSAGES = f"delivered_at IS NULL AND tries > 0 AND {_ENDS} AND {_OURS}"
FAILING = f"""
WITH RECURSIVE origins AS (
    (SELECT origin FROM deliveries WHERE delivered_at IS NULL AND tries > 0 ORDER BY origin LIMIT 1)
    UNION ALL
    SELECT following.origin FROM origins, LATERAL (
        SELECT origin FROM deliveries WHERE delivered_at IS NULL AND tries > 0 AND origin > origins.origin
        ORDER BY origin LIMIT 1) AS following)
SELECT origins.origin, counted.*
FROM origins, LATERAL (
    SELECT count(next_try_at) AS waiting, count(*) - count(next_try_at) AS given_up, min(created_at) AS since,
           (array_agg(status_code ORDER BY created_at DESC))[1] AS status_code,
           (array_agg(last_error ORDER BY created_at DESC))[1] AS error
    FROM (SELECT next_try_at, created_at, status_code, last_error FROM deliveries
          WHERE deliveries.origin = origins.origin AND {_FAILING_MESSAGES}
          ORDER BY created_at DESC LIMIT {COUNTED_AT_MOST}) AS newest) AS counted
WHERE counted.since IS NOT NULL ORDER BY origins.origin LIMIT $2
"""
FAILING_AT = f"""
SELECT {_COLUMNS} FROM deliveries WHERE origin = $2 AND {_FAILING_MESSAGES} ORDER BY created_at DESC, id LIMIT $3
"""
_SEND_AGAIN = f"""
UPDATE deliveries SET next_try_at = now(), given_until = now() + interval '24 hours'
WHERE id IN (SELECT id FROM deliveries WHERE origin = $2 AND {_FAILING_MESSAGES} AND next_try_at IS NULL
             ORDER BY created_at LIMIT $3 FOR UPDATE SKIP LOCKED)
"""


class PostgresDeliveries:
    """Implements `DeliveryStore`. Sends the messages of `environment` alone; None: of all.

    Messages that are taken at the same moment are noted together.
    """

    def __init__(self, pool: asyncpg.Pool, environment: str | None = None) -> None:
        self._pool = pool
        self._environment = environment
        self._taken: Coalescer[tuple[UUID, Answer], None] = Coalescer(self._write_taken, flights=2)

    async def due(
        self, limit: int, held_s: float, *, per_origin: int, room: Mapping[str, int]
    ) -> tuple[tuple[Delivery, Task | Unreadable], ...]:
        """Take what is due, so that nobody else sends it for `held_s` seconds."""
        used = (list(room.keys()), list(room.values()))
        with outages():
            rows = await self._pool.fetch(_DUE, self._environment, limit, held_s, per_origin, *used)
        deliveries = [_delivery_of(row) for row in rows]
        told = await self._told([delivery.id for delivery in deliveries]) if deliveries else {}
        gone = Unreadable("the message was removed")
        return tuple((delivery, told.get(delivery.id, gone)) for delivery in deliveries)

    async def backlog(self) -> Backlog:
        """The messages that will be sent, once or again."""
        with outages():
            row = await self._pool.fetchrow(_BACKLOG, self._environment)
        return Backlog(row["count"], row["overdue_s"])

    async def _told(self, ids: Sequence[UUID]) -> dict[UUID, Task | Unreadable]:
        """The tasks as they were; where one cannot be read, each is read alone."""
        try:
            with outages():
                rows = await self._pool.fetch(_TOLD, ids)
        except asyncpg.PostgresError as error:
            if len(ids) == 1:
                return {ids[0]: Unreadable(f"the task as it was cannot be read: {error}")}
            apart = [await self._told([delivery_id]) for delivery_id in ids]
            return {delivery_id: told for each in apart for delivery_id, told in each.items()}
        return {uuid_of(row["delivery_id"]): _task_of(row) for row in rows}

    async def taken(self, delivery_id: UUID, answer: Answer) -> None:
        """It was received."""
        await self._taken((delivery_id, answer))

    async def _write_taken(self, receipts: Sequence[tuple[UUID, Answer]]) -> Sequence[None]:
        in_order = sorted(receipts, key=itemgetter(0))
        answers = [answer for _, answer in in_order]
        with outages():
            await self._pool.execute(
                _TAKEN,
                [delivery_id for delivery_id, _ in in_order],
                [answer.status_code for answer in answers],
                [answer.request_excerpt for answer in answers],
                [answer.answer_excerpt for answer in answers],
            )
        return [None] * len(receipts)

    async def not_taken(self, delivery_id: UUID, answer: Answer, again_in_s: float | None) -> datetime | None:
        """It was not received; without another try it is given up."""
        with outages():
            at: datetime | None = await self._pool.fetchval(
                *(_NOT_TAKEN, delivery_id, again_in_s, answer.status_code, answer.error),
                *(answer.request_excerpt, answer.answer_excerpt),
            )
        return at

    async def leave(self, delivery_id: UUID, again_in_s: float, why: str) -> None:
        """Somebody else may be able to send it."""
        with outages():
            await self._pool.execute(_LEAVE, delivery_id, again_in_s, storable_line(why))

    async def put_off(self, origin: str, again_in_s: float, why: str) -> int:
        """All messages to a silent origin that are due wait."""
        with outages():
            command_tag: str = await self._pool.execute(
                _PUT_OFF, self._environment, again_in_s, origin, storable_line(why)
            )
        return int(command_tag.rpartition(" ")[2])

    async def of_task(self, task_id: UUID) -> tuple[Delivery, ...]:
        """All about one task, oldest first."""
        with outages():
            rows = await self._pool.fetch(_OF_TASK, task_id)
        return tuple(_delivery_of(row) for row in rows)

    async def again(self, task_id: UUID, delivery_id: UUID) -> Delivery:
        """Send it as soon as possible and for a whole day. Raises `UnknownDelivery`."""
        with outages():
            row = await self._pool.fetchrow(_AGAIN, delivery_id, task_id)
        if row is None:
            raise UnknownDelivery(delivery_id)
        return _delivery_of(row)

    async def failing(self, limit: int) -> tuple[FailingReceiver, ...]:
        """Receivers that do not take messages, by their origins in order."""
        with outages():
            rows = await self._pool.fetch(FAILING, self._environment, limit)
        return tuple(FailingReceiver(**row) for row in rows)

    async def failing_at(self, origin: str, limit: int) -> tuple[Delivery, ...]:
        """Messages to an origin that were sent and not received, newest first."""
        with outages():
            rows = await self._pool.fetch(FAILING_AT, self._environment, origin, limit)
        return tuple(_delivery_of(row) for row in rows)

    async def send_again(self, origin: str, limit: int) -> int:
        """Send those again that were given up, the oldest first."""
        with outages():
            done: str = await self._pool.execute(_SEND_AGAIN, self._environment, origin, limit)
        return int(done.rpartition(" ")[2])


def _task_of(row: Row) -> Task | Unreadable:
    try:
        return task_of(row)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one must not harm its neighbours
        return Unreadable(f"the task as it was cannot be read: {type(error).__name__}: {error}")


def _delivery_of(row: Row) -> Delivery:
    return Delivery(
        id=uuid_of(row["delivery_id"]),
        task_id=uuid_of(row["task_id"]),
        type=row["type"],
        url=row["url"],
        created_at=row["noted_at"],
        tries=row["tries"],
        status_code=row["status_code"],
        error=row["last_error"],
        next_try_at=row["next_try_at"],
        delivered_at=row["delivered_at"],
        given_until=row["given_until"],
        origin=row["origin"],
        environment=row["environment"],
        form=row["form"],
        follows=uuid_of(row["follows"]) if row["follows"] else None,
        request_excerpt=row["request_excerpt"],
        answer_excerpt=row["answer_excerpt"],
    )
