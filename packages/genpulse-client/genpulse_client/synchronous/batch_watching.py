# Made from asynchronous/batch_watching.py by make_synchronous.py: change it there.
"""Following a batch to its end."""

from collections.abc import Generator
from contextlib import closing

from genpulse_client import request as requests
from genpulse_client.errors import ApiUnreachable, GenPulseError
from genpulse_client.results.batch import BatchEvent, batch_event_of, batch_of
from genpulse_client.retry import Retries
from genpulse_client.synchronous.connection import Connection
from genpulse_client.synchronous.watching import stream_of


def batch_events_of(
    connection: Connection, batch_id: str, last_id: str | None
) -> Generator[BatchEvent, None, None]:
    """Events until the batch has ended. A stream that breaks is taken up where it was."""
    retries = Retries(requests.batch_events(batch_id, None), connection.limits)
    while True:
        try:
            something_came = False
            request = requests.batch_events(batch_id, last_id)
            with closing(stream_of(connection, request, batch_event_of, None)) as stream:
                for event in stream:
                    retries.begin_anew()
                    something_came = True
                    last_id = event.id or last_id
                    yield event
                    if event.is_last:
                        return
            batch = batch_of(connection.document(requests.batch(batch_id)))
            if batch.ended and not something_came:
                yield BatchEvent(last_id or "0", batch, None, is_last=True)
                return
            raise ApiUnreachable(connection.address.url, "the stream ended before the batch", sent=True)
        except GenPulseError as error:
            pause_s = retries.pause_s(error)
            if pause_s is None:
                raise
        connection.session.sleep(pause_s)
