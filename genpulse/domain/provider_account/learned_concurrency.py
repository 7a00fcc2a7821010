"""How many tasks at once a provider's account bears, as its refusals teach.

Halved by a refusal, raised by one after so much that was taken, as networks do it (AIMD). The number that was
refused last is remembered, and is tried again with more patience than those below it.
"""

from dataclasses import dataclass, replace

RAISED_AFTER = 5
RAISED_AFTER_S = 60.0
"""One more is tried after so many tasks that the account has taken, or with the first after so many seconds."""

REFUSED_AGAIN_AFTER = 20
REFUSED_AGAIN_AFTER_S = 600.0
"""The same for the number that was refused last: so many tasks for each one that runs at once."""

FORGOTTEN_S = 3600.0
"""What was learned and not confirmed for so long is forgotten: the account may have become another one."""

CLOCK_SET_BACK_S = 60.0
"""A lowering that lies further ahead than that was told by a clock that was set back since."""


@dataclass(frozen=True, slots=True)
class Load:
    """What an account bore when it refused a task: `running` of its tasks ran, this one since `age_s` seconds."""

    running: int
    age_s: float

    def within(self, configured: int | None) -> "Load":
        """The same, of which no more count than are configured."""
        return self if configured is None else replace(self, running=min(self.running, configured))


@dataclass(frozen=True, slots=True)
class LearnedConcurrency:
    """At most `most` tasks at once; 0 where nothing is learned.

    `refused_at` tasks ran when one was refused at `lowered_at`. Since `changed_at` the account has taken `taken`
    tasks. Moments are seconds of the gate's clock.
    """

    most: int = 0
    refused_at: int = 0
    lowered_at: float = 0.0
    changed_at: float = 0.0
    taken: int = 0

    def believed(self, now: float) -> "LearnedConcurrency":
        """What still counts. Of a clock that was set back far, nothing does."""
        is_known = self.lowered_at - CLOCK_SET_BACK_S <= now < self.lowered_at + FORGOTTEN_S
        return self if is_known else NOTHING_LEARNED

    def lowered(self, load: Load, now: float) -> "LearnedConcurrency":
        """After a refusal. One of a task that began before the last lowering says nothing new.

        Nor does one of a task that ran alone: then it was not refused since others ran.
        """
        learned = self.believed(now)
        if learned.most and now - load.age_s <= learned.lowered_at:
            return learned
        ran = min(load.running, learned.most) if learned.most else load.running
        if ran <= 1:
            return learned
        return LearnedConcurrency(most=ran // 2, refused_at=ran, lowered_at=now, changed_at=now)

    def raised(self, configured: int | None, now: float) -> "LearnedConcurrency":
        """After a task that the account has taken. Where all that is configured may run, nothing is learned."""
        learned = self.believed(now)
        if not learned.most:
            return NOTHING_LEARNED
        taken = learned.taken + 1
        if taken < learned.raised_after and now - learned.changed_at < learned.raised_after_s:
            return replace(learned, taken=taken)
        most = learned.most + 1
        if configured is not None and most >= configured:
            return NOTHING_LEARNED
        return replace(learned, most=most, changed_at=now, taken=0)

    @property
    def raised_after(self) -> int:
        """How many tasks the account has to take before one more is tried."""
        return REFUSED_AGAIN_AFTER * self.most if self._was_refused_next else RAISED_AFTER

    @property
    def raised_after_s(self) -> float:
        """After how many seconds a single one is enough."""
        return REFUSED_AGAIN_AFTER_S if self._was_refused_next else RAISED_AFTER_S

    @property
    def _was_refused_next(self) -> bool:
        return self.most + 1 == self.refused_at


NOTHING_LEARNED = LearnedConcurrency()
