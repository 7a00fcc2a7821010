"""All calls of the door."""

from genpulse.api.door import Door, DoorCall
from genpulse.dialects.model_names import ModelNames
from genpulse.dialects.options import DialectOptions
from genpulse.dialects.repeated_calls import RepeatedCalls
from genpulse.dialects.replicate import account
from genpulse.dialects.replicate.files import calls as files
from genpulse.dialects.replicate.links import PREFIX
from genpulse.dialects.replicate.models.calls import Models
from genpulse.dialects.replicate.models.collections import Collections
from genpulse.dialects.replicate.models.deployments import Deployments
from genpulse.dialects.replicate.models.versions import Versions
from genpulse.dialects.replicate.not_served import list_trainings, not_served, refuse_training, show_training
from genpulse.dialects.replicate.predictions.calls import Predictions
from genpulse.dialects.replicate.predictions.stream import PredictionStream
from genpulse.dialects.replicate.refusals import refuse

NAME = "replicate"
_WAIT_S = 60
_PREDICTION = "/v1/predictions/{prediction_id}"
_FILE = "/v1/files/{file_id}"
_DEPLOYMENT = "/v1/deployments/{owner}/{name}"
_MODEL = "/v1/models/{owner}/{name:path}"


def replicate_door(options: DialectOptions) -> Door:
    """The door under `/replicate`."""
    names = ModelNames(options.aliases, NAME)
    versions = Versions(names, options.aliases)
    predictions = Predictions(names, versions, options.wait_s.get(NAME, _WAIT_S), RepeatedCalls())
    calls = (
        *_of_predictions(predictions),
        *_of_files(),
        *_of_models(Models(names, versions)),
        *_of_collections(Collections(names)),
        *_of_deployments(Deployments(names)),
        *_of_account(),
        *_not_served(),
    )
    return Door(NAME, PREFIX, calls, refuse)


def _of_predictions(predictions: Predictions) -> tuple[DoorCall, ...]:
    return (
        DoorCall("GET", _PREDICTION, predictions.show),
        DoorCall("POST", "/v1/predictions", predictions.create),
        DoorCall("POST", f"{_MODEL}/predictions", predictions.create_of_model),
        DoorCall("POST", f"{_DEPLOYMENT}/predictions", predictions.create_of_deployment),
        DoorCall("GET", "/v1/predictions", predictions.list),
        DoorCall("POST", f"{_PREDICTION}/cancel", predictions.cancel),
        DoorCall("GET", f"{_PREDICTION}/stream", PredictionStream(predictions), needs_key=False),
    )


def _of_files() -> tuple[DoorCall, ...]:
    return (
        DoorCall("POST", "/v1/files", files.create_file, takes_files=True),
        DoorCall("GET", "/v1/files", files.list_files),
        DoorCall("GET", _FILE, files.show_file),
        DoorCall("DELETE", _FILE, files.delete_file),
        DoorCall("GET", f"{_FILE}/download", files.download_file),
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


def _of_collections(collections: Collections) -> tuple[DoorCall, ...]:
    return (
        DoorCall("GET", "/v1/collections", collections.list),
        DoorCall("GET", "/v1/collections/{slug}", collections.show),
    )


def _of_deployments(deployments: Deployments) -> tuple[DoorCall, ...]:
    refuse_change = not_served("Changing deployments", "They are the routes of this installation's configuration.")
    return (
        DoorCall("GET", "/v1/deployments", deployments.list),
        DoorCall("GET", _DEPLOYMENT, deployments.show),
        DoorCall("POST", "/v1/deployments", refuse_change),
        DoorCall("PATCH", _DEPLOYMENT, refuse_change),
        DoorCall("DELETE", _DEPLOYMENT, refuse_change),
    )


def _of_account() -> tuple[DoorCall, ...]:
    return (
        DoorCall("GET", "/v1/account", account.show_account),
        DoorCall("GET", "/v1/hardware", account.list_hardware),
        DoorCall("GET", "/v1/webhooks/default/secret", account.show_secret),
    )


def _not_served() -> tuple[DoorCall, ...]:
    refuse_change = not_served("Changing models", "They are what the providers of this installation offer.")
    return (
        DoorCall("POST", f"{_MODEL}/versions/{{version}}/trainings", refuse_training),
        DoorCall("POST", "/v1/trainings", refuse_training),
        DoorCall("GET", "/v1/trainings", list_trainings),
        DoorCall("GET", "/v1/trainings/{training_id}", show_training),
        DoorCall("POST", "/v1/trainings/{training_id}/cancel", show_training),
        DoorCall("POST", "/v1/models", refuse_change),
        DoorCall("DELETE", f"{_MODEL}/versions/{{version}}", refuse_change),
        DoorCall("PATCH", _MODEL, refuse_change),
        DoorCall("DELETE", _MODEL, refuse_change),
    )
