"""The route of budgets: what may be spent and done, and how much of it is used."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from genpulse.api.context import caller_of, context_in
from genpulse.api.requests.query_parameters import refuse_doubled
from genpulse.api.responses import encoded
from genpulse.api.schemas.budgets import BudgetDocument, BudgetList
from genpulse.lifecycle.budgets.standing import budget_standing

routes = encoded.router("tasks")

BUDGETS_PATH = "/v1/budgets"


class BudgetParameters(BaseModel):
    """Whose limits are asked for. Parameters that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer: Annotated[str, Field(min_length=1, max_length=512)] | None = Field(
        None,
        description="An end customer of this API key, as the metadata of its tasks calls it: its limits come last",
        examples=["acme"],
    )


@routes.get(
    BUDGETS_PATH,
    summary="Show budgets",
    responses=encoded.described(200, "The limits with what is used of each", BudgetList) | encoded.refusals(422),
)
async def show_budgets(request: Request, parameters: Annotated[BudgetParameters, Query()]) -> Response:
    """What a day and a month may cost, and what keys may do, with how much of it is used and when it begins anew.

    A key sees its own limits, an `admin` key those of the environment, of each provider and of each key.
    """
    refuse_doubled(request.query_params)
    services, caller = context_in(request.scope).services, caller_of(request)
    standing = await budget_standing(services, caller, parameters.customer)
    data = [BudgetDocument.named(use, standing.key_names) for use in standing.uses]
    return encoded.json(BudgetList(data=data))
