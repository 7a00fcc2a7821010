"""What documents that callers see are made of. Times are in UTC, amounts decimal numbers in strings."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

Time = Annotated[
    datetime, AfterValidator(lambda time: time.astimezone(UTC)), Field(examples=["2030-01-31T12:00:00Z"])
]
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda amount: f"{amount:f}", return_type=str, when_used="json"),
    Field(examples=["0.04"]),
]


class Document(BaseModel):
    """Base of what is shown."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, defer_build=True)
