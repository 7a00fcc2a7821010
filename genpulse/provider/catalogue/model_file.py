"""A file of models: one provider, and an entry for each of its models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from genpulse.domain.catalogue.lifetime import circle_of
from genpulse.provider.catalogue.documents import EntryDocument, FileDocument, InputDocument
from genpulse.provider.catalogue.entry import ModelEntry, facts_in
from genpulse.provider.catalogue.faults import ModelFault, ModelFilesInvalid, detail_of
from genpulse.provider.catalogue.input_fields import input_of
from genpulse.provider.catalogue.yaml_nodes import YamlFile
from genpulse.provider.inputs.unknown_field import said_of

LARGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class InputNames:
    """What a file may say of inputs: names of models of pydantic, and fields on top of `base` where it is set."""

    known: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    base: type[BaseModel] | None = None


class ModelFile:
    """A file that was read, whose entries are not looked at yet. Raises `ModelFilesInvalid`."""

    def __init__(self, path: Path, name: str = "") -> None:
        self.name = name or path.name
        self._yaml = YamlFile(_text(path, self.name), self.name)
        document = self._yaml.document
        if not isinstance(document, dict):
            raise self._invalid((), "", "expected provider and models at its top")
        try:
            self._file = FileDocument.model_validate(document)
        except ValidationError as error:
            raise ModelFilesInvalid(self._faults(FileDocument, error, (), "")) from error

    @property
    def provider(self) -> str:
        """The provider whose models it lists."""
        return self._file.provider

    def line_of(self, key: str) -> int | None:
        """The line of a key at its top."""
        return self._yaml.line((key,))

    def entries(self, names: InputNames) -> tuple[ModelEntry, ...]:
        """All entries. Raises `ModelFilesInvalid` with every fault of the file."""
        faults: list[ModelFault] = []
        entries: dict[str, ModelEntry] = {}
        for index, document in enumerate(self._file.models):
            try:
                entry = self._entry(index, document, names)
                if entry.id in entries:
                    first = entries[entry.id].line
                    raise self._invalid(
                        ("models", index, "id"), entry.id, f"the id comes twice; it stands at line {first} already"
                    )
                entries[entry.id] = entry
            except ModelFilesInvalid as error:
                faults += error.faults
        faults += self._circle(entries)
        if faults:
            raise ModelFilesInvalid(faults)
        return tuple(entries.values())

    def _entry(self, index: int, document: Mapping[str, Any], names: InputNames) -> ModelEntry:
        place, said = ("models", index), document.get("id")
        id_ = said if isinstance(said, str) else f"model {index + 1}"
        try:
            entry = EntryDocument.model_validate(document)
        except ValidationError as error:
            raise ModelFilesInvalid(self._faults(EntryDocument, error, place, id_)) from error
        return ModelEntry(
            id=entry.id,
            does=entry.does or "",
            title=entry.title,
            description=entry.description,
            kinds=tuple(entry.kinds) if entry.kinds else None,
            input=self._input(index, entry, names),
            file=self.name,
            line=self._yaml.line(("models", index, "id")),
            facts=facts_in(entry),
        )

    def _input(self, index: int, entry: EntryDocument, names: InputNames) -> type[BaseModel] | None:
        place = ("models", index, "input")
        match entry.input:
            case None:
                return None
            case str() as name if name in names.known:
                return names.known[name]
            case InputDocument(fields=fields) if names.base is not None:
                try:
                    return input_of("Input", fields, names.base)
                except ValueError as error:
                    raise self._invalid((*place, "fields"), f"{entry.id}: input.fields", str(error)) from error
            case reference:
                known_names = " or ".join(sorted(names.known)) or "no names of inputs"
                fields_too = " or fields" if names.base is not None else ""
                said = f"no input is named {reference!r}" if isinstance(reference, str) else "fields are not taken"
                raise self._invalid(
                    place, f"{entry.id}: input", f"{said}; {self.provider} knows {known_names}{fields_too}"
                )

    def _circle(self, entries: Mapping[str, ModelEntry]) -> Sequence[ModelFault]:
        following = {f"{self.provider}/{one.id}": one.facts.get("successor") for one in entries.values()}
        circle = circle_of({id_: successor for id_, successor in following.items() if successor})
        if not circle:
            return ()
        first = next(entry for id_, entry in entries.items() if f"{self.provider}/{id_}" in circle)
        return [ModelFault(self.name, f"they succeed each other: {' → '.join(circle)}", first.line, "successor")]

    def _invalid(self, place: tuple[str | int, ...], key: str, detail: str) -> ModelFilesInvalid:
        return ModelFilesInvalid([ModelFault(self.name, detail, self._yaml.line(place), key)])

    def _faults(
        self, document: type[BaseModel], error: ValidationError, place: tuple[str | int, ...], id_: str
    ) -> list[ModelFault]:
        """What pydantic says, once for each place, and where something is wrong inside of it, there alone."""
        by_place: dict[str, ModelFault] = {}
        for one in error.errors(include_url=False):
            path = _written(one["loc"])
            key = ".".join(map(str, path))
            last = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
            said = _said(document, one)
            shown = f"{id_}: {key}".removesuffix(": ") if id_ else key
            fault = ModelFault(self.name, detail_of(last, said), self._yaml.line((*place, *path)), shown)
            if key not in by_place or one["type"] == "value_error":
                by_place[key] = fault
        return [
            fault for key, fault in by_place.items() if not any(other.startswith(f"{key}.") for other in by_place)
        ]


def _said(document: type[BaseModel], one: ErrorDetails) -> str:
    match one["type"]:
        case "missing":
            return "it is missing"
        case "literal_error":
            return f"{one['input']!r} is none of what it takes"
        case _:
            return said_of(document, one)


_BRANCHES = frozenset(
    {"InputDocument", "BoundDocument", "str", "decimal", "constrained-decimal", "int", "constrained-int"}
)
"""What pydantic puts into a place for the members of a union."""


def _written(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The keys as they stand in the file."""
    return tuple(
        step
        for step in loc
        if isinstance(step, int) or not (step in _BRANCHES or "[" in step or step.endswith("]"))
    )


def _text(path: Path, name: str) -> str:
    """Raises `ModelFilesInvalid` for what is no file, is too large, or is no text."""
    try:
        if not path.is_file():
            raise ModelFilesInvalid([ModelFault(name, "it is no file that can be read")])
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ModelFilesInvalid([ModelFault(name, f"it cannot be read: {error.strerror}")]) from error
    if len(content) > LARGEST_BYTES:
        raise ModelFilesInvalid(
            [ModelFault(name, f"it is larger than {LARGEST_BYTES >> 20} MiB, and no list of models is")]
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ModelFilesInvalid(
            [ModelFault(name, f"it is no UTF-8: {error.reason} at byte {error.start}")]
        ) from error
