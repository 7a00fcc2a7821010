"""Before a task is queued: may this API key do so much?"""

from decimal import Decimal
from uuid import UUID

from genpulse.domain.api_key import KeyLimits
from genpulse.domain.errors import KeyLimitExceeded
from genpulse.domain.spending import left_of_day_s, start_of_day
from genpulse.ports import Services

ACTIVE_AGAIN_S = 5
"""When a task of the key may have ended: a guess, in seconds."""


async def check_allowance(
    services: Services, key_id: UUID, limits: KeyLimits, *, tasks: int, price_usd: Decimal
) -> None:
    """Raises `KeyLimitExceeded`, `DatabaseUnavailable`.

    Requests that are checked before any of them is committed do not see each other: together they can go over a
    limit, by as many as come in that moment.
    """
    if limits.max_active_tasks is None and limits.daily_tasks is None and limits.daily_usd is None:
        return
    now = services.now()
    usage = await services.keys.usage(key_id, start_of_day(now))
    if limits.max_active_tasks is not None and usage.active_tasks + tasks > limits.max_active_tasks:
        raise KeyLimitExceeded(
            f"This API key has {usage.active_tasks:,} tasks that have not ended and may have"
            f" {limits.max_active_tasks:,}; this would make {usage.active_tasks + tasks:,}.",
            ACTIVE_AGAIN_S,
        )
    if limits.daily_tasks is not None and usage.today_tasks + tasks > limits.daily_tasks:
        raise KeyLimitExceeded(
            f"This API key has submitted {usage.today_tasks:,} tasks today and may submit {limits.daily_tasks:,} a"
            " day (UTC).",
            left_of_day_s(now),
        )
    if limits.daily_usd is not None and usage.today_usd + price_usd > limits.daily_usd:
        raise KeyLimitExceeded(
            f"This costs {price_usd:f} USD; this API key has spent or promised {usage.today_usd:f} USD of the"
            f" {limits.daily_usd:f} USD that it has a day (UTC).",
            left_of_day_s(now),
        )
