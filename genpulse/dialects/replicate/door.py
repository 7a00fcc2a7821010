"""All calls of the door."""

from genpulse.api.door import Door, DoorCall
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.dialects.replicate.links import PREFIX
from genpulse.dialects.replicate.models import Models
from genpulse.dialects.replicate.predictions import Predictions
from genpulse.dialects.replicate.refusals import refuse
from genpulse.dialects.replicate.stream import PredictionStream
from genpulse.dialects.replicate.versions import Versions

NAME = "replicate"
_WAIT_S = 60
_PREDICTION = "/v1/predictions/{prediction_id}"
_MODEL = "/v1/models/{owner}/{name:path}"


def replicate_door(options: DialectOptions) -> Door:
    """The door under `/replicate`."""
    names = ModelNames(options.aliases, NAME)
    versions = Versions(names, options.aliases)
    predictions = Predictions(names, versions, options.wait_s.get(NAME, _WAIT_S), RepeatedCalls())
    calls = (*_of_predictions(predictions), *_of_models(Models(names, versions)))
    return Door(NAME, PREFIX, calls, refuse)


def _of_predictions(predictions: Predictions) -> tuple[DoorCall, ...]:
    return (
        DoorCall("GET", _PREDICTION, predictions.show),
        DoorCall("POST", "/v1/predictions", predictions.create),
        DoorCall("POST", f"{_MODEL}/predictions", predictions.create_of_model),
        DoorCall("POST", "/v1/deployments/{owner}/{name}/predictions", predictions.create_of_deployment),
        DoorCall("GET", "/v1/predictions", predictions.list),
        DoorCall("POST", f"{_PREDICTION}/cancel", predictions.cancel),
        DoorCall("GET", f"{_PREDICTION}/stream", PredictionStream(predictions), needs_key=False),
    )


def _of_models(models: Models) -> tuple[DoorCall, ...]:
    return (
        DoorCall("GET", "/v1/models", models.list),
        DoorCall("QUERY", "/v1/models", models.search, reads=True),
        DoorCall("GET", "/v1/search", models.search_all),
        DoorCall("GET", f"{_MODEL}/versions", models.list_versions),
        DoorCall("GET", f"{_MODEL}/versions/{{version}}", models.show_version),
        DoorCall("GET", f"{_MODEL}/readme", models.show_readme),
        DoorCall("GET", f"{_MODEL}/examples", models.show_examples),
        DoorCall("GET", _MODEL, models.show),
    )
