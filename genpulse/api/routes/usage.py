"""The route of usage: what tasks came to."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in
from genpulse.api.requests.query_parameters import refuse_doubled
from genpulse.api.responses import encoded
from genpulse.api.schemas.tasks.filter import Moment
from genpulse.api.schemas.usage import METADATA, UsageDocument, UsageRowDocument, table
from genpulse.domain.keys.caller import Caller
from genpulse.domain.search.usage import UsageField, UsageQuery
from genpulse.ports import KeyStore

routes = encoded.router("tasks")

USAGE_PATH = "/v1/usage"
USUAL = timedelta(days=30)
MOST_ROWS = 10_000
MOST_FIELDS = 8
_CSV = "text/csv"
_LONGEST_NAME = 64
_FIELD = rf"(day|provider|model|key|status|metadata\.[^\x00,]{{1,{_LONGEST_NAME}}})"
"""A name of metadata with a comma cannot be asked for here."""
_FIELDS = re.compile(rf"{_FIELD}(,{_FIELD})*")


def _fields(text: str) -> str:
    if not _FIELDS.fullmatch(text):
        raise PydanticCustomError(
            "group_by",
            "Input should be some of day, provider, model, key, status, metadata.<name>, with commas between them",
        )
    return text


GroupWords = Annotated[
    str,
    StringConstraints(max_length=400),
    AfterValidator(_fields),
    Field(json_schema_extra={"pattern": f"^{_FIELDS.pattern}$"}),
]


class UsageParameters(BaseModel):
    """Which tasks, and by what they are put together. Parameters that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: Moment | None = Field(
        None,
        alias="from",
        description="Only tasks that came then or later: a date, or a time; left out, it is 30 days before `to`",
        examples=["2030-01-01"],
    )
    end: Moment | None = Field(
        None,
        alias="to",
        description="Only tasks that came before that: a date, or a time; left out, it is now",
        examples=["2030-02-01"],
    )
    group_by: GroupWords | None = Field(
        None,
        description="`day`, `provider`, `model`, `key`, `status`, `metadata.<name>`, with commas between them",
        examples=["day,model"],
    )

    def query(self, now: datetime, owner: str | None) -> UsageQuery:
        """Raises `RequestValidationError`."""
        words = self.group_by.split(",") if self.group_by else []
        if len(set(words)) < len(words) or len(words) > MOST_FIELDS:
            raise _refusal("group_by", f"It names {MOST_FIELDS} things at most, each once")
        end = self.end or now
        start = self.start or max(end, datetime.min.replace(tzinfo=UTC) + USUAL) - USUAL
        if start > end:
            late = "later than the end that is asked for" if self.end else "in the future: no task has come since"
            raise _refusal("from", f"It is {late}")
        names = tuple(word.removeprefix(METADATA) for word in words if word.startswith(METADATA))
        fields = tuple(UsageField(word) for word in words if not word.startswith(METADATA))
        return UsageQuery(start, end, fields, names, owner, MOST_ROWS + 1)


def _refusal(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": "usage", "loc": ("query", name), "msg": message}])


@routes.get(
    USAGE_PATH,
    summary="Show usage",
    responses=encoded.described(
        200,
        "What tasks came to",
        {
            "application/json": {"schema": encoded.reference(UsageDocument)},
            _CSV: {"schema": {"type": "string"}},
        },
    )
    | encoded.refusals(422),
)
async def show_usage(request: Request, parameters: Annotated[UsageParameters, Query()]) -> Response:
    """How many tasks came, how they stand, what they cost and may cost, put together as it is asked for.

    A key sees its own tasks, an `admin` key those of each. What was deleted counts as before, without its
    metadata. Tasks that were removed because of their age are not counted; what they reserved and cost by the
    ledger is, unless it is asked for by `status` or metadata. `Accept: text/csv` gives a table for a
    spreadsheet.
    """
    refuse_doubled(request.query_params)
    services, caller = context_in(request.scope).services, caller_of(request)
    query = parameters.query(await services.store.now(), caller.sees_owner)
    rows = await services.store.usage_by(query)
    if len(rows) > MOST_ROWS:
        raise _refusal(
            "group_by", f"It gives more than {MOST_ROWS:,} rows: ask for less time, or for fewer things"
        )
    names = await _names(services.keys, caller, query)
    data = [UsageRowDocument.of(row, query, names) for row in rows]
    document = UsageDocument(start=query.start, end=query.end, data=data)
    if _wants_csv(request):
        fields = parameters.group_by.split(",") if parameters.group_by else []
        text = table(document, fields)
        return Response(text, headers={"Content-Type": f"{_CSV}; charset=utf-8; header=present"})
    return encoded.json(document)


async def _names(keys: KeyStore, caller: Caller, query: UsageQuery) -> dict[str, str]:
    if UsageField.KEY not in query.fields:
        return {}
    known = await keys.all() if caller.sees_all else [caller.key] if caller.key else []
    return {str(key.id): key.name for key in known}


def _wants_csv(request: Request) -> bool:
    """JSON is what is given where nothing else is asked for."""
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    named = [word for word in accepted if word in {_CSV, "application/json", "*/*"}]
    return bool(named) and named[0] == _CSV
