"""Which entries a claim takes where tasks of several owners wait: within a priority, the owners take turns.

A ring is what waits of one provider with one priority. `queue_turns` remembers whose turn it is in a ring, and how
many tasks of that turn were taken; who cannot have that row at once, since another claim writes it, leaves it.
"""

from genpulse.domain.keys.api_key import HEAVIEST
from genpulse.domain.task import Priority

LOOKS_BEYOND = 100
"""A claim looks at so many owners beyond its room, where nothing of them is due. The next goes on there."""

_PRIORITIES = ", ".join(f"({int(one)}::smallint)" for one in sorted(Priority, reverse=True))
_RINGS = f"(VALUES {_PRIORITIES}) AS rings(priority)"


def _ring(of: str, priority: str = "") -> str:
    """What waits in a ring. Only `ix_queue_owners` fits these words, so the planner can take no other index."""
    return (
        f"worker IS NULL AND NOT begun AND queue.provider = {of}.provider"
        f" AND queue.priority = {priority or of}.priority"
    )


SEVERAL_OWNERS = f"""
EXISTS (SELECT FROM unnest({{providers}}) AS wanted(provider) CROSS JOIN {_RINGS}
        CROSS JOIN LATERAL (SELECT owner FROM queue WHERE {_ring("wanted", "rings")}
                            ORDER BY owner LIMIT 1) AS lowest
        CROSS JOIN LATERAL (SELECT owner FROM queue WHERE {_ring("wanted", "rings")}
                            ORDER BY owner DESC LIMIT 1) AS highest
        WHERE lowest.owner < highest.owner)
"""
"""Whether in a ring of these providers more than one owner has something, be it due or not."""

# Each step looks once into `ix_queue_owners`: at the first entry of the next owner, however many that one has. A
# ring is walked from the owner whose turn it is to the end, and then from the beginning. One owner more is looked
# for than there is room: the first one may have had its turn.
_WALK = f"""
walk AS (
SELECT wanted.provider, wanted.room, rings.priority, coalesce(turn.owner, '') AS first,
       coalesce(turn.taken, 0)::int AS taken, coalesce(turn.owner, '') AS owner,
       '-infinity'::timestamptz AS due_at, '-infinity'::timestamptz AS edge, false AS wrapped,
       0 AS steps, 0 AS found
FROM wanted CROSS JOIN {_RINGS}
LEFT JOIN queue_turns AS turn ON turn.provider = wanted.provider AND turn.priority = rings.priority
UNION ALL
SELECT walk.provider, walk.room, walk.priority, walk.first, walk.taken, next.owner, next.due_at, 'infinity',
       next.wrapped, walk.steps + 1, walk.found + (next.due_at <= now())::int
FROM walk CROSS JOIN LATERAL (
    (SELECT queue.owner, queue.due_at, walk.wrapped FROM queue
     WHERE {_ring("walk")} AND (queue.owner, queue.due_at) > (walk.owner, walk.edge)
     ORDER BY queue.owner, queue.due_at LIMIT 1)
    UNION ALL
    (SELECT queue.owner, queue.due_at, true FROM queue
     WHERE {_ring("walk")} AND NOT walk.wrapped AND walk.first <> ''
     ORDER BY queue.owner, queue.due_at LIMIT 1)
    LIMIT 1) AS next
WHERE walk.found <= walk.room AND walk.steps < walk.room + {LOOKS_BEYOND}
  AND (NOT next.wrapped OR next.owner < walk.first)),
waiting AS MATERIALIZED (
SELECT walk.*, count(*) OVER (PARTITION BY provider, priority) AS owners,
       count(*) OVER (PARTITION BY provider ORDER BY priority DESC) AS up_to_here
FROM walk WHERE steps > 0 AND due_at <= now()),
shared AS MATERIALIZED (
SELECT DISTINCT provider, room FROM waiting WHERE owners > 1)"""

# Each owner of a ring gets an entry at least before one of them gets a second turn. So none gets more than `most`.
_SERVED = f"""
weighed AS MATERIALIZED (
SELECT waiting.*, weights.weight,
       CASE WHEN waiting.owner = waiting.first THEN least(waiting.taken, weights.weight) ELSE 0 END AS used,
       CASE WHEN up_to_here - owners >= room THEN 0
            ELSE greatest(room + 1 - up_to_here, least(weights.weight, room)) END AS most
FROM waiting LEFT JOIN api_keys ON api_keys.id::text = waiting.owner COLLATE "default" AND api_keys.weight > 1
CROSS JOIN LATERAL (SELECT coalesce(api_keys.weight, 1)::int AS weight) AS weights
WHERE waiting.provider IN (SELECT provider FROM shared)),
served AS MATERIALIZED (
SELECT ranked.* FROM (
    SELECT weighed.*, number,
           row_number() OVER (PARTITION BY weighed.provider
                              ORDER BY weighed.priority DESC, (used + number - 1) / weight, steps, number) AS place
    FROM weighed CROSS JOIN LATERAL (
        SELECT row_number() OVER () AS number
        FROM (SELECT FROM queue WHERE {_ring("weighed")} AND queue.owner = weighed.owner AND queue.due_at <= now()
              ORDER BY queue.due_at LIMIT weighed.most) AS entries) AS numbers) AS ranked
WHERE place <= room - (SELECT count(*) FROM resumed WHERE resumed.provider = ranked.provider))"""

_REMEMBERED = f"""
turns AS MATERIALIZED (
SELECT DISTINCT ON (provider, priority) provider, priority, owner, taken
FROM (SELECT provider, priority, owner, (used + number - 1) % weight + 1 AS taken, place FROM served
      WHERE owners > 1
      UNION ALL
      SELECT provider, priority, owner, {HEAVIEST}, {2**62} FROM walk WHERE steps = room + {LOOKS_BEYOND}) AS ends
ORDER BY provider, priority, place DESC),
added_turns AS (
INSERT INTO queue_turns (provider, priority, owner, taken)
SELECT provider, priority, owner, taken FROM turns
WHERE NOT EXISTS (SELECT FROM queue_turns AS known
                  WHERE known.provider = turns.provider AND known.priority = turns.priority)
ORDER BY provider, priority
ON CONFLICT DO NOTHING),
moved_turns AS (
UPDATE queue_turns SET owner = turns.owner, taken = turns.taken
FROM turns CROSS JOIN LATERAL (
     SELECT FROM queue_turns AS held
     WHERE held.provider = turns.provider AND held.priority = turns.priority FOR UPDATE SKIP LOCKED) AS free
WHERE queue_turns.provider = turns.provider AND queue_turns.priority = turns.priority)"""

# An array in the end: the planner takes it for few rows, and looks each up.
_CHOSEN = f"""
resumed AS MATERIALIZED (
SELECT shared.provider, entries.task_id FROM shared CROSS JOIN LATERAL (
    SELECT task_id FROM queue
    WHERE queue.provider = shared.provider AND lease IS NULL AND begun AND due_at <= now(){{which}}
    ORDER BY priority DESC, due_at, task_id LIMIT shared.room
    FOR UPDATE SKIP LOCKED) AS entries),
{_SERVED},
in_turn AS MATERIALIZED (
SELECT parts.provider, entries.task_id
FROM (SELECT provider, priority, owner, count(*) AS part, min(place) AS place FROM served
      GROUP BY provider, priority, owner ORDER BY place) AS parts
CROSS JOIN LATERAL (
    SELECT task_id FROM queue WHERE {_ring("parts")} AND queue.owner = parts.owner AND due_at <= now()
    ORDER BY due_at, task_id LIMIT parts.part
    FOR UPDATE SKIP LOCKED) AS entries),{_REMEMBERED},
early AS MATERIALIZED (SELECT * FROM resumed UNION ALL SELECT * FROM in_turn),
chosen AS MATERIALIZED (
SELECT unnest(ARRAY(
    SELECT task_id FROM early
    UNION ALL
    SELECT entries.task_id FROM wanted CROSS JOIN LATERAL (
        SELECT task_id FROM queue
        WHERE queue.provider = wanted.provider AND lease IS NULL AND due_at <= now(){{which}}
          AND task_id <> ALL (ARRAY(SELECT task_id FROM early))
        ORDER BY begun DESC, priority DESC, due_at, task_id
        LIMIT wanted.room - (SELECT count(*) FROM early WHERE early.provider = wanted.provider)
        FOR UPDATE SKIP LOCKED) AS entries)) AS task_id)"""


def in_turn(rooms: str, *, which: str = "") -> str:
    """CTEs that end with `chosen`, the ids of entries that they lock.

    `rooms` has the columns `provider` and `room`, `which` is one more condition. What was given back comes first.
    What is left of a room, since somebody else took a part, is filled with what has waited longest.
    """
    return f"wanted AS MATERIALIZED ({rooms}),{_WALK},{_CHOSEN.format(which=which)}"
