"""Asking for something by hand: a form for a model's input, its price, and what comes of it beside it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from genpulse.console import changes
from genpulse.console.console import Console
from genpulse.console.forms import file_forms
from genpulse.console.forms.input_form import (
    PREFIX,
    WHOLE,
    FieldForm,
    InputField,
    document_of,
    fields_of,
    says_all,
)
from genpulse.console.forms.posted_form import PageForm
from genpulse.console.live import Fragments
from genpulse.console.pages import task as task_page
from genpulse.console.views.examples import examples_of
from genpulse.console.visit import Visit
from genpulse.domain.errors import BadInput, Problem, Refused, UnknownModel, UnknownTask
from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.keys.api_key import Scope
from genpulse.domain.submission.order import Order
from genpulse.domain.task import Priority, Task
from genpulse.lifecycle.budgets.check import check_provider
from genpulse.lifecycle.submission import submit as submitting
from genpulse.ports import Services
from genpulse.provider import AnyModel

_PRIORITIES: Mapping[str, Priority] = {priority.word: priority for priority in Priority}
_LONGEST_ONCE = 64


@dataclass(frozen=True, slots=True)
class PlaygroundOrder:
    """What stands in the form.

    Where that does not fit, `message` and `problems` tell why. Then it stands in `typed` by its fields, or in
    `whole` where it was written as a whole. `price_usd` is what it costs at most, asked for where it `is_priced`.
    """

    model_id: str
    document: JsonObject
    kind: str = ""
    priority: str = "normal"
    problems: Sequence[Problem] = ()
    message: str = ""
    typed: Mapping[str, str] | None = None
    whole: str | None = None
    is_priced: bool = False
    price_usd: Decimal | None = None
    once: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class ModelForm:
    """The form of a model. `fields` are empty where the input is written as a whole, in JSON."""

    model_id: str
    title: str
    description: str
    kinds: tuple[str, ...]
    fields: tuple[InputField, ...]
    is_paid: bool
    hint: str
    """Why the model cannot be asked here; empty where it can."""

    @property
    def takes_files(self) -> bool:
        """Whether it has a field for one."""
        return any(one.form is FieldForm.FILE for one in self.fields)


async def show(visit: Visit) -> Response:
    """The page: of a model, or with the order of an earlier task. Raises `UnknownTask`, `DatabaseUnavailable`."""
    visit.require(Scope.WRITE)
    parameters = visit.request.query_params
    if earlier := parameters.get("from", ""):
        task = await _earlier(visit, earlier)
        order_form = PlaygroundOrder(task.model, task.input, task.kind, task.priority.word)
        return await _page(visit, order_form, task)
    return await _page(visit, PlaygroundOrder(parameters.get("model", ""), {}))


async def price(console: Console, request: Request) -> Response:
    """The same page with what the order costs at most. Raises `ForgedForm`, `UnreadableForm`."""
    visit, form = await file_forms.opened(console, request)
    visit.require(Scope.WRITE)
    try:
        order_form = _wish(visit.services, form)
    except BadInput as error:
        return await _page(visit, _broken(form, error), status=422)
    return await _page(visit, order_form)


async def submit(console: Console, request: Request) -> Response:
    """Queue the task; what is refused is told in the form. Raises `ForgedForm`, `EnvironmentNotNamed`."""
    visit, form = await file_forms.opened(console, request)
    visit.require(Scope.WRITE)
    changes.check_name(visit, form)
    try:
        return await changes.noted(visit, "task.submit", form.get("model"), lambda: _queued(visit, form))
    except BadInput as error:
        return await _page(visit, _broken(form, error), status=422)


async def _queued(visit: Visit, form: PageForm) -> Response:
    order_form = _wish(visit.services, form)
    order = Order(
        model=order_form.model_id,
        input=order_form.document,
        kind=order_form.kind or None,
        priority=_PRIORITIES.get(order_form.priority, Priority.NORMAL),
    )
    # A button that is pressed twice makes one task, and another order under the same page makes another.
    key = f"console-{form.get('once')[:_LONGEST_ONCE]}-{order.fingerprint()[:16]}"
    submitted = await submitting.submit(visit.services, order, idempotency_key=key, caller=visit.viewer.caller)
    visit.context.metrics.submitted(submitted)
    return visit.redirect(f"/playground?from={submitted.task.id}")


async def _page(
    visit: Visit, order_form: PlaygroundOrder, task: Task | None = None, *, status: int = 200
) -> Response:
    services = visit.services
    parts: Fragments = {}
    if task is not None:
        parts = await task_page.fragments(services, visit.viewer, task.id)
    form = _model_form(services, order_form)
    return visit.page(
        "playground.html",
        "Playground",
        status=status,
        live=f"/live/task/{task.id}" if task is not None and not task.status.ended else "",
        order_form=order_form,
        form=form,
        models=[model_id for model_id, _ in services.catalogue.models()],
        task=task,
        parts=parts,
        priorities=tuple(_PRIORITIES),
        curl=_curl(visit, order_form) if form else "",
    )


def _curl(visit: Visit, order_form: PlaygroundOrder) -> str:
    return examples_of(visit.public_base, order_form.model_id, order_form.kind, order_form.document, {}).curl


def _model_form(services: Services, order_form: PlaygroundOrder) -> ModelForm | None:
    """None where no model was chosen, or there is none of this name any more."""
    try:
        model = services.catalogue.model(order_form.model_id) if order_form.model_id else None
    except UnknownModel:
        return None
    if model is None:
        return None
    schema, provider = _schema(model), order_form.model_id.partition("/")[0]
    return ModelForm(
        order_form.model_id,
        model.title or order_form.model_id,
        model.description,
        model.kinds,
        _fields(schema, order_form),
        services.catalogue.is_paid(provider),
        _hint(services, provider),
    )


def _fields(schema: Mapping[str, JsonValue], order_form: PlaygroundOrder) -> tuple[InputField, ...]:
    if order_form.whole is not None or not says_all(schema, order_form.document):
        return ()
    return fields_of(schema, order_form.document, order_form.typed, order_form.problems)


def _hint(services: Services, provider: str) -> str:
    try:
        check_provider(services, provider)
    except Refused as error:
        return str(error)
    return ""


def _schema(model: AnyModel) -> Mapping[str, JsonValue]:
    schema: Mapping[str, JsonValue] = model.input.model_json_schema()
    return schema


def _wish(services: Services, form: PageForm) -> PlaygroundOrder:
    """What was filled in, which fits the model. Raises `BadInput`, `UnknownModel`."""
    model = services.catalogue.model(form.get("model"))
    document = document_of(_schema(model), form)
    price_usd = model.price_of(model.parse(document))
    return PlaygroundOrder(
        form.get("model"),
        document,
        form.get("kind"),
        form.get("priority"),
        is_priced=True,
        price_usd=price_usd,
        once=form.get("once"),
    )


def _broken(form: PageForm, error: BadInput) -> PlaygroundOrder:
    """The form as it was filled in, as far as that can be said."""
    is_whole = form.has(WHOLE)
    typed = {name.removeprefix(PREFIX): value for name, value in form.fields if name.startswith(PREFIX)}
    return PlaygroundOrder(
        form.get("model"),
        {},
        form.get("kind"),
        form.get("priority"),
        problems=[Problem(one.pointer.removeprefix("/input"), one.detail) for one in error.problems],
        message=str(error),
        typed=None if is_whole else typed,
        whole=form.get(WHOLE) if is_whole else None,
        once=form.get("once"),
    )


async def _earlier(visit: Visit, word: str) -> Task:
    try:
        task_id = UUID(word)
    except ValueError:
        raise UnknownTask(repr(word[:100])) from None
    task = await visit.task_of(task_id)
    if not visit.viewer.shows_content(task):
        raise UnknownTask(task_id)
    return task
