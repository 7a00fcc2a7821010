"""A service that GenPulse depends on is away, is the wrong one, or has lost something."""

from typing import ClassVar

from genpulse.domain.errors.base import GenPulseError


class Unavailable(GenPulseError):
    """A service that GenPulse stands on is away. `retry_after_s` is a guess, in seconds."""

    code: ClassVar[str] = "unavailable"
    retry_after_s: ClassVar[int] = 5


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer."""

    code = "database_unavailable"


class ForeignDatabase(DatabaseUnavailable):
    """The database belongs to another environment: it is `theirs`, and this process is `ours`.

    `evidence` is how that is known, `stamped` whether it is the database's stamp. A process does not start with
    it; one that runs waits until its own database is back, as when it is away.
    """

    def __init__(self, theirs: str, ours: str, evidence: str, *, stamped: bool = True) -> None:
        super().__init__(
            f"This database belongs to {theirs} ({evidence}), and this process is {ours}. Nothing was written to"
            " it. Check GENPULSE_DATABASE_URL and ENV: each environment has a database of its own."
        )
        self.theirs = theirs
        self.ours = ours
        self.stamped = stamped


class CopiedDatabase(ForeignDatabase):
    """The database is not the one that was stamped for this environment, `ours`: a copy of it, or it was moved."""

    def __init__(self, ours: str, evidence: str) -> None:
        DatabaseUnavailable.__init__(
            self,
            f"This database is a copy of that of {ours}, or was moved ({evidence}). Nothing was written to it: two"
            " that work would run each task twice. If it is the original and the other one is off for good:"
            " `genpulse env stamp --moved`, or `--restored` where it comes from a backup. If it is a copy:"
            " `genpulse env stamp --copy` empties it of what would act. Each asks a person at a terminal.",
        )
        self.theirs = ours
        self.ours = ours
        self.stamped = True


class UnstampedDatabase(DatabaseUnavailable):
    """Nothing says to which environment the database belongs; this process is `ours`."""

    def __init__(self, ours: str) -> None:
        super().__init__(
            f"This database carries no stamp of its environment, and this process is {ours}. Nothing was written"
            f" to it. Check GENPULSE_DATABASE_URL; if this database is meant for {ours}, run `genpulse db upgrade`"
            f" and then `genpulse env stamp`, once, with ENV={ours}."
        )
        self.ours = ours


class StorageUnavailable(Unavailable):
    """The asset storage does not answer."""

    code = "storage_unavailable"


class StorageFull(StorageUnavailable):
    """There is no space left for assets."""

    code = "storage_full"
    retry_after_s = 60


class ClocksDiffer(Unavailable):
    """This host's clock is too far from the database's for what was to be done. It is `ahead_s` seconds ahead."""

    code = "clocks_differ"
    retry_after_s = 60

    def __init__(self, ahead_s: float) -> None:
        where = "ahead of" if ahead_s > 0 else "behind"
        super().__init__(
            f"This host's clock is {abs(ahead_s):,.0f} s {where} the database's; at most a minute is expected."
            " Nothing is removed because of its age. Let both hosts follow a time server."
        )
        self.ahead_s = ahead_s


class StorageLost(GenPulseError):
    """Bytes that were to be read are not there and never come back: waiting for them would be for ever.

    The bytes of an asset that are gone or cut off, or a file of an engine that does not exist or cannot be read.
    """
