"""An order's input as another model takes it: fields under its own names, sizes in its own form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from genpulse.domain.json.value import JsonObject, JsonValue
from genpulse.domain.routing.picture_size import SIZE_FIELDS, PictureSize, size_of

SAME_MEANING: tuple[tuple[str, ...], ...] = (
    ("prompt", "text", "input"),
    ("seed",),
    ("negative_prompt",),
    ("n", "num_images", "num_outputs", "number_of_images", "num_samples"),
    ("image", "image_url", "input_image", "init_image", "start_image", "first_frame_image"),
    ("images", "image_urls", "input_images", "reference_images"),
    ("mask", "mask_url", "mask_image"),
    ("duration_s", "duration", "seconds"),
    ("fps", "frames_per_second"),
    ("guidance_scale", "guidance", "cfg_scale", "cfg"),
    ("steps", "num_inference_steps"),
    ("strength", "prompt_strength", "denoise"),
    ("output_format", "format", "response_format"),
)
"""Names that vendors give to the same field, each line one meaning."""

_GROUP = {name: group for group in SAME_MEANING for name in group}


@dataclass(frozen=True, slots=True)
class InputFields:
    """The names of the fields that a model's input has. `is_open`: it takes others as well, whatever they are."""

    names: frozenset[str]
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Adapted:
    """An input as a model takes it. `left_out` are fields of the order that it has no place for."""

    input: JsonObject
    left_out: tuple[str, ...] = ()


def adapt(document: JsonObject, fields: InputFields, rename: Mapping[str, str] | None = None) -> Adapted:
    """The input for a model with these fields; `rename` has its field for a field of the order, and goes first.

    A field under the same name is taken as it is. One that is null says nothing, and is left out where the model
    has no place for it.
    """
    if not rename and (fields.is_open or document.keys() <= fields.names):
        return Adapted(dict(document))
    adaptation = _Adaptation(fields)
    renamed = rename or {}
    rest = {name: value for name, value in document.items() if not adaptation.took_renamed(name, value, renamed)}
    rest = {name: value for name, value in rest.items() if not adaptation.took_same(name, value)}
    rest = {name: value for name, value in rest.items() if not adaptation.took_size(name, rest)}
    for name, value in rest.items():
        adaptation.take_other(name, value)
    in_order = sorted(adaptation.left_out, key=list(document).index)
    return Adapted(adaptation.input, tuple(in_order))


@dataclass(slots=True)
class _Adaptation:
    fields: InputFields
    input: dict[str, JsonValue] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    _wrote_size: bool | None = None

    def took_renamed(self, name: str, value: JsonValue, rename: Mapping[str, str]) -> bool:
        if name in rename and value is not None:
            self._put(rename[name], name, value)
        return name in rename

    def took_same(self, name: str, value: JsonValue) -> bool:
        fits = self.fields.is_open or name in self.fields.names
        if fits:
            self._put(name, name, value)
        return fits

    def _put(self, place: str, name: str, value: JsonValue) -> None:
        """Two fields of the order cannot stand in one place: the second is left."""
        if place not in self.input:
            self.input[place] = value
        elif value is not None:
            self.left_out.add(name)

    def took_size(self, name: str, rest: Mapping[str, JsonValue]) -> bool:
        """Whether this is a field of the size, and the size was written in a form that the model has."""
        if name not in SIZE_FIELDS:
            return False
        if self._wrote_size is None:
            size = size_of(rest)
            self._wrote_size = size is not None and self._write(size)
        return self._wrote_size

    def _write(self, size: PictureSize) -> bool:
        form = size.written_for(self.fields.names - self.input.keys())
        if form is None:
            return False
        self.input.update(form.input)
        self.left_out.update(form.lost)
        return True

    def take_other(self, name: str, value: JsonValue) -> None:
        twin = next(self._twins(name), None)
        if twin is not None:
            self.input[twin] = value
        elif value is not None:
            self.left_out.add(name)

    def _twins(self, name: str) -> Iterator[str]:
        for other in _GROUP.get(name, ()):
            if other in self.fields.names and other not in self.input:
                yield other
