"""States and failures in plain words."""

from collections.abc import Mapping

from genpulse.domain.attempt import AttemptStatus
from genpulse.domain.failure import Actor, Charged, FailureCode
from genpulse.domain.provider_account.circuit_event import CircuitChange
from genpulse.domain.provider_account.gate import CircuitState
from genpulse.domain.task import TaskStatus, WaitsFor

STATUS_WORDS: Mapping[str, str] = {
    TaskStatus.QUEUED: "waits",
    TaskStatus.RUNNING: "runs",
    TaskStatus.SUCCEEDED: "succeeded",
    TaskStatus.FAILED: "failed",
    TaskStatus.CANCELED: "canceled",
    AttemptStatus.RELEASED: "given back by a worker that stopped",
    AttemptStatus.ABANDONED: "its worker was lost",
}
CODES: Mapping[str, str] = {
    FailureCode.INVALID_INPUT: "The input does not suit the model.",
    FailureCode.MODERATION_BLOCKED: "The provider's moderation refused it.",
    FailureCode.PROVIDER_REJECTED: "The provider refused it for good.",
    FailureCode.PROVIDER_UNAVAILABLE: "The provider could not be reached, or was broken.",
    FailureCode.RATE_LIMITED: "The provider was asked too often.",
    FailureCode.QUOTA_EXHAUSTED: "The account at the provider has nothing left.",
    FailureCode.AUTHENTICATION_FAILED: "The provider did not take our key.",
    FailureCode.TIMEOUT: "It took longer than it may.",
    FailureCode.DEADLINE_EXCEEDED: "Its deadline passed before it was done.",
    FailureCode.UNKNOWN_OUTCOME: "Nobody knows whether the provider has done it.",
    FailureCode.OUTPUT_UNAVAILABLE: "It was made, and could not be fetched.",
    FailureCode.FOREIGN_ENVIRONMENT: "It belongs to another environment.",
    FailureCode.PAID_PROVIDER_REFUSED: "The provider costs money, which this environment does not allow.",
    FailureCode.BUDGET_EXCEEDED: "A budget was used up.",
    FailureCode.WORKER_LOST: "Its workers were lost, again and again.",
    FailureCode.INTERNAL: "Something went wrong in GenPulse or a plug-in.",
}
WHO_ACTS: Mapping[str, str] = {
    Actor.CALLER: "Whoever asked for it must change the request.",
    Actor.OPERATOR: "Whoever looks after this installation must act.",
    Actor.PROVIDER: "The provider must act; run it again later.",
    Actor.NOBODY: "Nobody needs to act: run it again.",
}
CHARGED: Mapping[str, str] = {
    Charged.NO: "It was not charged.",
    Charged.YES: "It was charged.",
    Charged.MAYBE: "It may have been charged.",
}
WAITS: Mapping[str, str] = {
    WaitsFor.NEXT_ATTEMPT: "for its next attempt",
    WaitsFor.WORKER: "for a worker that has room",
    WaitsFor.PROVIDER: "for its provider, which cannot be asked",
    WaitsFor.STORAGE: "for our storage",
    WaitsFor.DATABASE: "for our database",
    WaitsFor.RUN_AT: "for the time to which it was put off",
    WaitsFor.TASK: "for the tasks whose outputs it takes",
}
CIRCUITS: Mapping[str, str] = {
    CircuitState.CLOSED: "well",
    CircuitState.OPEN: "left alone",
    CircuitState.HALF_OPEN: "on probation",
}
CIRCUIT_CHANGES: Mapping[str, str] = {
    CircuitChange.OPENED: "left alone",
    CircuitChange.CLOSED: "answers again",
    CircuitChange.HELD: "asked for a pause",
    CircuitChange.LOWERED: "bears less at once",
}
