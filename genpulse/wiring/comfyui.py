"""The workflows of ComfyUI that are registered here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genpulse.configuration.settings import Settings
from genpulse.providers.comfyui import FOLDER
from genpulse.providers.comfyui.candidates import Candidate
from genpulse.providers.comfyui.folder import read_folder
from genpulse.providers.comfyui.registration import Draft, WorkflowRefused, read_draft, register, sheet_for

__all__ = [
    "Candidate",
    "Draft",
    "RegisteredWorkflow",
    "WorkflowRefused",
    "read_draft",
    "register",
    "registered_workflows",
    "sheet_for",
    "workflow_folder",
]


@dataclass(frozen=True, slots=True)
class RegisteredWorkflow:
    """A workflow that is a model: its id, its kinds, and the names of its inputs."""

    model: str
    kinds: tuple[str, ...]
    inputs: tuple[str, ...]


def workflow_folder(settings: Settings) -> Path:
    """The folder in which registered workflows lie."""
    section = settings.providers.named.get("comfyui")
    return settings.root / str((section.options.get("workflows") if section else None) or FOLDER)


def registered_workflows(settings: Settings) -> tuple[tuple[RegisteredWorkflow, ...], Mapping[str, str]]:
    """The workflows that are models here, and by the name of its file why another one is none."""
    folder = read_folder(workflow_folder(settings))
    workflows = [
        RegisteredWorkflow(f"comfyui/{one.name}", one.kinds, tuple(socket.name for socket in one.sockets))
        for one in folder.workflows
    ]
    return tuple(workflows), folder.faults
