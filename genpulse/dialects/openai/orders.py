"""From OpenAI's fields to an order of one of our models, by the schema of the model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pydantic import ValidationError

from genpulse.api.schemas.tasks.submission import OrderDocument
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.openai.refusals import CallRefused
from genpulse.dialects.openai.schema_values import in_types_of
from genpulse.dialects.openai.webhooks.form import CHOICE
from genpulse.domain.errors import BadInput, Problem
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.kind import makes_media
from genpulse.domain.routing.adaptation import SAME_MEANING, InputFields, adapt
from genpulse.domain.routing.picture_size import SIZE_FIELDS
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Priority
from genpulse.lifecycle.submission.route_targets import fields_of
from genpulse.ports import Services
from genpulse.provider import AnyModel
from genpulse.provider.inputs.unknown_field import unknown

OWN_FIELDS = ("webhook_url", "deadline_s", "priority", "metadata", "retain_s")
"""Fields of our own submit, which a caller may send beside OpenAI's (`extra_body`)."""
_END_USERS = ("user", "safety_identifier")
"""Fields that say for whom it is: they become metadata."""
_EXTRA = "extra"
"""The field of models on servers like OpenAI's that takes what only such a server knows."""
_SIZE = "size"
_SAYS_NOTHING: Mapping[str, frozenset[str]] = {
    "n": frozenset({"1"}),
    "size": frozenset({"auto"}),
    "quality": frozenset({"auto", "standard"}),
    "background": frozenset({"auto"}),
    "moderation": frozenset({"auto"}),
}
"""Values that ask for nothing special: a model needs no field for them."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a call is for: the usual `kind` of its tasks, and what that makes (`image`).

    `required` are fields that no client can leave out, so that a model without a place for them does without;
    `checked` are looked at when the task has ended, where its model has no place for them. `pictures` are fields
    that take files.
    """

    kind: str
    makes: frozenset[str]
    required: frozenset[str] = frozenset()
    checked: frozenset[str] = frozenset()
    pictures: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Translated:
    """An order; `ignored` are fields of the call that its model has no place for, of those that may be left.

    `names` are the fields of the call.
    """

    order: Order
    ignored: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def blamed(self, error: BadInput) -> BadInput:
        """The same error, with its places named as the call names them."""
        problems = [Problem(self._place(problem.pointer), problem.detail) for problem in error.problems]
        said = "; ".join(f"{one.pointer.removeprefix('/')}: {one.detail}" for one in problems[:3])
        return BadInput(f"{error} {said}" if said else str(error), problems)

    def _place(self, pointer: str) -> str:
        first, _, rest = pointer.removeprefix("/input").removeprefix("/").partition("/")
        if first == _EXTRA and rest:
            first, _, rest = rest.partition("/")
        meant = _origin(first, self.names) if first in self.order.input else first
        return f"/{meant}/{rest}" if rest and meant == first else f"/{meant}"


class Translation:
    """Translates for one call. `usual` is the priority of an order that asks for none."""

    def __init__(self, services: Services, names: ModelNames, purpose: Purpose, usual: Priority) -> None:
        self._services = services
        self._names = names
        self._purpose = purpose
        self._usual = usual

    def order(self, body: JsonObject, pictures: Mapping[str, Sequence[str]]) -> Translated:
        """The order. `pictures` are references to files by their field. Raises `CallRefused`, `BadInput`."""
        values = dict(body)
        model_id, model_name = self._target(values.pop("model", None))
        model = self._services.catalogue.model(model_name)
        self._check_purpose(model_name, model)
        own = {name: values.pop(name) for name in OWN_FIELDS if values.get(name) is not None}
        if metadata := _metadata(own.get("metadata"), values):
            own["metadata"] = metadata
        fields = fields_of(model)
        document: dict[str, JsonValue] = {}
        pictures = {**_referred(values, self._purpose.pictures - pictures.keys()), **pictures}
        for name, references in pictures.items():
            document |= _placed(model_name, fields, name, references)
        adapted = adapt({**values, **document}, fields)
        input_ = dict(adapted.input)
        ignored = self._settle(model_name, fields, {name: values[name] for name in adapted.left_out}, input_)
        return Translated(
            self._validated(model_id, model, in_types_of(model.input, input_), own),
            ignored,
            (*values, *pictures),
        )

    def _target(self, name: JsonValue) -> tuple[str | None, str]:
        """The id that the order names (None: none), and the model whose fields count."""
        if name in (None, ""):
            usual = self._services.routes.of_kind(self._purpose.kind)
            if usual is None:
                raise CallRefused(
                    f"You must provide a model parameter: none is the usual one for {self._purpose.kind} here.",
                    "missing_required_parameter",
                    field="model",
                )
            return None, usual.steps[0].model
        if not isinstance(name, str):
            raise CallRefused("The model has to be a text.", "invalid_type", field="model")
        model_id = self._names.id_of(self._services, name)
        route = self._services.routes.get(model_id)
        return model_id, route.steps[0].model if route else model_id

    def _check_purpose(self, name: str, model: AnyModel) -> None:
        makes = _makes(model.kinds)
        if makes and not makes & self._purpose.makes:
            wanted = " or ".join(sorted(self._purpose.makes))
            raise CallRefused(
                f"The model {name!r} does {', '.join(model.kinds)}; this call is for what makes {wanted}.",
                "model_not_supported",
                field="model",
            )

    def _settle(
        self, model: str, fields: InputFields, unplaced: Mapping[str, JsonValue], input_: dict[str, JsonValue]
    ) -> tuple[str, ...]:
        """Find a place for what is left, or a reason to leave it; returns what was. Raises `CallRefused`."""
        ignored: list[str] = []
        for name, value in unplaced.items():
            if str(value) in _SAYS_NOTHING.get(name, ()) or (name in SIZE_FIELDS and "aspect_ratio" in input_):
                continue
            if name in self._purpose.required | self._purpose.checked:
                ignored.append(name)
            elif _EXTRA in fields.names:
                extra = input_.setdefault(_EXTRA, {})
                if isinstance(extra, dict):
                    extra[name] = value
            elif name == _SIZE and _takes(fields, _SIZE, "512x512"):
                raise CallRefused(
                    f"{value!r} is no size: write WIDTHxHEIGHT in pixels, such as 1024x1024, or auto.",
                    "invalid_value",
                    field=name,
                )
            else:
                raise _no_place(model, fields, name)
        return tuple(ignored)

    def _validated(
        self, model_id: str | None, model: AnyModel, input_: JsonObject, own: Mapping[str, JsonValue]
    ) -> Order:
        kind: str | None = self._purpose.kind
        if model_id is not None and (len(model.kinds) == 1 or kind not in model.kinds or model.decide_kind):
            kind = None
        if not own:
            return Order(model=model_id, input=input_, kind=kind, priority=self._usual)
        document = {**in_types_of(OrderDocument, own), "model": model_id, "kind": kind, "input": input_}
        try:
            order = OrderDocument.model_validate(document).order(self._usual)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            places = [Problem("/" + "/".join(map(str, one["loc"])), one["msg"]) for one in found]
            raise BadInput("The call does not fit.", places) from error
        return replace(order, webhook_choice=CHOICE) if order.webhook_url else order


@lru_cache(maxsize=1024)
def _makes(kinds: tuple[str, ...]) -> frozenset[str]:
    """What a model makes; nothing where that is not known of each of its kinds."""
    known = all(makes_media(kind) for kind in kinds)
    return frozenset(kind.rpartition("-")[2] for kind in kinds) if known else frozenset()


def _metadata(metadata: JsonValue, values: dict[str, JsonValue]) -> JsonValue:
    """The caller's own, and for whom it is."""
    said = {name: value for name in _END_USERS if isinstance(value := values.pop(name, None), str) and value}
    return {**said, **metadata} if isinstance(metadata, dict) else metadata if metadata is not None else {**said}


def _placed(model: str, fields: InputFields, name: str, references: Sequence[str]) -> JsonObject:
    """The files in a field that the model has: one alone, or a list."""
    single, several = ("mask", "") if name == "mask" else ("image", "images")
    if len(references) == 1 and _takes(fields, single):
        return {single: references[0]}
    if several and _takes(fields, several):
        return {several: list(references)}
    if _takes(fields, single):
        raise CallRefused(
            f"The model {model!r} takes one file here, and there are {len(references)}.",
            "invalid_value",
            field=name,
        )
    raise _no_place(model, fields, name)


def _referred(values: dict[str, JsonValue], names: Iterable[str]) -> dict[str, Sequence[str]]:
    """Files that the call names by a text, or by an object with `image_url`, one or several."""
    references: dict[str, Sequence[str]] = {}
    for name in names:
        value = values.pop(name, None)
        if value is not None and value != []:
            each = value if isinstance(value, list) else [value]
            references[name] = [_reference(name, one) for one in each]
    return references


def _reference(name: str, value: JsonValue) -> str:
    address = value.get("image_url") if isinstance(value, dict) else value
    if isinstance(address, dict):
        address = address.get("url")
    if not isinstance(address, str):
        raise CallRefused(
            f"{name!r} has to be a file, its address (https, data:, asset:), or an object with image_url.",
            "invalid_type",
            field=name,
        )
    return address


def _takes(fields: InputFields, name: str, value: str = "") -> bool:
    return not adapt({name: value}, fields).left_out


def _no_place(model: str, fields: InputFields, name: str) -> CallRefused:
    words = unknown(name, tuple(sorted(fields.names)), "parameter").removesuffix(".")
    return CallRefused(f"The model {model!r} has no place for {name!r}: {words}.", "unknown_parameter", field=name)


def _origin(name: str, names: Sequence[str]) -> str:
    """For a field of the input the one of the call from which it comes."""
    if name in names:
        return name
    if name in SIZE_FIELDS:
        return "size"
    twins = next((group for group in SAME_MEANING if name in group), ())
    if "input_reference" in names and "image" in {*twins, name.removesuffix("s")}:
        return "input_reference"
    if name == "images" and "image" in names:
        return "image"
    return next((twin for twin in twins if twin in names), name)
