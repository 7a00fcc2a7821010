"""The tasks whose outputs a task takes, once it may begin."""

from uuid import UUID

from genpulse.domain.errors import InvalidInput, UnknownTask
from genpulse.domain.submission.file_reference import fits, output_named
from genpulse.domain.task import Task, TaskStatus
from genpulse.lifecycle.attempt.attempt_run import AttemptRun
from genpulse.lifecycle.store_retry import until_available
from genpulse.provider.inputs.asset_ref import files_in


async def check_sources(run: AttemptRun) -> None:
    """Each of them has succeeded, and has what the input takes of it. Nothing is asked of a vendor before.

    Raises `InvalidInput`, which names the one that has not.
    """
    sources = {source: await _source(run, source) for source in run.task.depends_on}
    for file in files_in(run.call.input):
        output = output_named(file.reference)
        outputs = sources[output.task_id].outputs if output and output.task_id in sources else ()
        if output and output.index < len(outputs):
            media_type = outputs[output.index].content.media_type
            if not fits(media_type, file.media):
                wanted = " or ".join(file.media)
                raise InvalidInput(f"{file.reference} is {media_type}, and the model takes {wanted}.")


async def _source(run: AttemptRun, task_id: UUID) -> Task:
    services = run.services
    try:
        task = await until_available(
            services, "the sources of task %s", run.task.id, lambda: services.store.get(task_id)
        )
    except UnknownTask as error:
        raise InvalidInput(f"This task takes an output of another one. {error}") from error
    if task.status is not TaskStatus.SUCCEEDED:
        why = f" ({task.error.code}: {task.error.message})" if task.error else ""
        failed = task.status is TaskStatus.FAILED
        advice = "Retry that one, and then this one." if failed else "It cannot run again; submit both anew."
        raise InvalidInput(
            f"This task takes an output of the task {task_id}, which is {task.status.value}{why}. {advice}"
        )
    return task
