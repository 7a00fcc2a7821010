"""Webhook delivery: sign, send, retry."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NoReturn

from genpulse.background.loops import Loops
from genpulse.domain.errors import DatabaseUnavailable, SealedSecret, Unavailable
from genpulse.domain.keys.webhook_secret import SigningSecrets
from genpulse.domain.task import Task
from genpulse.domain.webhook_delivery import Answer, Delivery, Unreadable, next_try
from genpulse.lifecycle.task_trace import trace_of
from genpulse.lifecycle.webhooks.forms import Describe, OwnForm, Signing, WebhookForm, WebhookMessage
from genpulse.lifecycle.webhooks.receivers import SEATS, ReceiverShares
from genpulse.lifecycle.webhooks.secrets import WebhookSecrets
from genpulse.ports import Services

LOOP = "the delivery of webhooks"
AT_ONCE = 100
"""Messages that one worker sends at once."""

LOOK_S = 0.5
SEND_S = 30.0
HELD_S = 60.0
"""Seconds in which a message is sent or another worker sends it: more than making and sending it may take."""

GRACE_S = 5.0
"""Seconds for which an orderly end waits for messages that are being sent."""

_TOGETHER_S = 0.01

UNKNOWN_FORM_S = 60.0
"""Seconds after which a message is looked at again whose form the worker does not know: another one may."""

NO_FORMS: Mapping[str, WebhookForm] = MappingProxyType({})

_log = logging.getLogger(__name__)


class WebhookDeliverer:
    """Sends what is due, each message for itself: one that fails or waits in any way harms no other.

    At most `at_once` are on their way, and of these only some to one origin (`Receivers`). `forms` are those that
    orders may name beside our own.
    """

    def __init__(
        self,
        services: Services,
        describe: Describe,
        loops: Loops,
        *,
        forms: Mapping[str, WebhookForm] = NO_FORMS,
        at_once: int = AT_ONCE,
    ) -> None:
        self._services = services
        self._forms = {**forms, "": OwnForm(describe)}
        self._loops = loops
        self._at_once = at_once
        self._receivers = ReceiverShares()
        self._secrets = WebhookSecrets(services.keys)
        self._sending: set[asyncio.Task[None]] = set()
        self._seat_is_free = asyncio.Event()
        self._cuts_off = False

    async def run(self) -> NoReturn:
        """Send until this task is canceled; then call `stop`."""
        await self._loops.forever(LOOP, self._turn, away=(Unavailable,))

    async def stop(self, grace_s: float = GRACE_S) -> None:
        """Wait for what is being sent, at most `grace_s` seconds. What is cut off is sent again by others."""
        if self._sending:
            _, cut_off = await asyncio.wait(self._sending, timeout=grace_s)
            self._cuts_off = bool(cut_off)
            for task in cut_off:
                task.cancel()
            await asyncio.gather(*cut_off, return_exceptions=True)

    async def take(self) -> int:
        """Begin to send what is due, as far as there are seats; returns how much. Raises `DatabaseUnavailable`."""
        seats = self._at_once - len(self._sending)
        if seats <= 0:
            return 0
        room = self._receivers.room()
        due = await self._services.deliveries.due(seats, HELD_S, per_origin=SEATS, room=room)
        for delivery, task in due:
            self._receivers.begin(delivery.origin)
            sending = asyncio.create_task(self._send(delivery, task), name=delivery.message_id)
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
        return len(due)

    async def wait_until_idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._sending:
            await asyncio.wait(self._sending)

    async def _turn(self) -> None:
        self._seat_is_free.clear()
        await self.take()
        if len(self._sending) < self._at_once and not self._receivers.short_of_seats:
            await asyncio.sleep(LOOK_S)
            return
        try:
            async with asyncio.timeout(LOOK_S):
                await self._seat_is_free.wait()
            await asyncio.sleep(_TOGETHER_S)
        except TimeoutError:
            return

    async def _send(self, delivery: Delivery, task: Task | Unreadable) -> None:
        try:
            if delivery.form not in self._forms:
                await self._leave_to_others(delivery)
                return
            began = time.monotonic()
            answer = await self._answer(delivery, task)
            if self._cuts_off and answer.status_code is None:
                return  # the error came in place of the cancellation, and says nothing of the receiver
            rest_s = self._receivers.note_answer(delivery.origin, answer, time.monotonic() - began)
            await self._note(delivery, answer)
            if rest_s is not None:
                await self._put_off(delivery.origin, rest_s)
        except Unavailable as error:
            _log.warning("message %s may have been sent, and will be again: %s", delivery.message_id, error)
        except Exception:  # noqa: BLE001 - it is this message's own trouble, whatever it is
            self._loops.failed(LOOP)
        finally:
            self._receivers.end(delivery.origin)
            self._seat_is_free.set()

    async def _answer(self, delivery: Delivery, task: Task | Unreadable) -> Answer:
        """Of the receiver, or what has kept the message from it. Raises `Unavailable` alone."""
        if isinstance(task, Unreadable):
            return Answer(None, task.reason)
        form, now = self._forms[delivery.form], self._services.now()
        try:
            async with asyncio.timeout(SEND_S):
                message = await form.message(delivery, task, now)
                secrets = await self._secrets_for(delivery, task, message)
                trace = await trace_of(self._services, task.id)
        except Unavailable:
            raise
        except SealedSecret as error:
            _log.error("message %s is not sent: %s", delivery.message_id, error)
            return Answer(None, str(error))
        except Exception as error:  # noqa: BLE001 - it counts as a try, so that it is given up some day
            self._loops.failed(LOOP)
            return Answer(None, f"the message could not be made: {type(error).__name__}: {error}")
        with self._services.tracing.delivery(delivery, task, trace) as headers:
            message = replace(message, headers={**message.headers, **headers}) if headers else message
            answer = await self._send_message(delivery, message, secrets, now)
            self._services.tracing.delivered(answer)
        return answer

    async def _leave_to_others(self, delivery: Delivery) -> None:
        """It is looked at again as long as any message; another worker may know its form."""
        why = f"this worker knows no webhooks in the form {delivery.form!r}"
        await self._services.deliveries.leave(delivery.id, UNKNOWN_FORM_S, why)
        _log.warning("message %s waits: %s", delivery.message_id, why)

    async def _secrets_for(self, delivery: Delivery, task: Task, message: WebhookMessage) -> SigningSecrets | None:
        """None where the form signs by itself."""
        if message.signing is Signing.NONE:
            return None
        return await (self._secrets.with_derived(task.owner) if delivery.form else self._secrets.of(task.owner))

    async def _send_message(
        self, delivery: Delivery, message: WebhookMessage, secrets: SigningSecrets | None, now: datetime
    ) -> Answer:
        try:
            async with asyncio.timeout(SEND_S):
                return await self._services.sender.send(
                    delivery.url,
                    delivery.message_id,
                    message.body,
                    now=now,
                    secrets=secrets,
                    headers=message.headers,
                )
        except TimeoutError:
            return Answer(None, f"no answer within {SEND_S:g} s", silent=True)
        except Exception as error:  # noqa: BLE001 - as above
            self._loops.failed(LOOP)
            return Answer(None, f"the message could not be sent: {type(error).__name__}: {error}")

    async def _note(self, delivery: Delivery, answer: Answer) -> None:
        try:
            await self._keep(delivery, answer)
        except DatabaseUnavailable:
            raise
        except Exception:  # noqa: BLE001 - what PostgreSQL does not take of an answer is left out
            self._loops.failed(LOOP)
            await self._keep(delivery, Answer(None, "the answer could not be kept"))

    async def _keep(self, delivery: Delivery, answer: Answer) -> None:
        if answer.is_taken:
            await self._services.deliveries.taken(delivery.id, answer)
            return
        wait_s = next_try(delivery.tries, answer, random=self._services.random())
        if await self._services.deliveries.not_taken(delivery.id, answer, wait_s) is None:
            _log.warning(
                "message %s about task %s is given up after %d tries: %s",
                delivery.message_id,
                delivery.task_id,
                delivery.tries + 1,
                answer.error,
            )

    async def _put_off(self, origin: str, rest_s: float) -> None:
        why = f"{origin} did not answer to other messages, and the time for this one was over"
        count = await self._services.deliveries.put_off(origin, rest_s, why)
        _log.warning("%s is silent: %d messages to it wait for %g s", origin, count, rest_s)
