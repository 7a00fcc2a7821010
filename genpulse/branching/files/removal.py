"""Plans what `genpulse flow uninstall` removes: our files, and our lines in files of others."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from genpulse.branching.files import chaining
from genpulse.branching.files.contents import CHECK_FILES, PIPELINE, begun_pipeline
from genpulse.branching.files.decided import is_only_ours
from genpulse.branching.files.hooks import HOOK, HOOKS
from genpulse.branching.files.ownership import is_ours
from genpulse.branching.files.planned import PlannedFile, compared
from genpulse.branching.settings.file import FILE

_WRITTEN = (
    *CHECK_FILES.values(),
    ".github/workflows/*flow.yml",
    ".github/rulesets/*.json",
    ".github/*environments.json",
    PIPELINE,
    ".gitlab/*flow.yml",
    ".gitlab/*protection.json",
    f"{HOOKS}/*",
)


def plan_removal(folder: Path) -> tuple[PlannedFile, ...]:
    """Plan every file that is removed or loses our lines, without changing any. Raises `FileInTheWay`."""
    return tuple(compared(folder, path, content, program=program) for path, content, program in _steps(folder))


def _steps(folder: Path) -> Iterator[tuple[str, bytes | None, bool]]:
    for pattern in _WRITTEN:
        for file in sorted(folder.glob(pattern)):
            if file.is_file() and is_ours(file.read_bytes()) and not _is_theirs_by_now(file):
                yield _path(folder, file), None, False
    for file in _hooks_of_others(folder):
        content = file.read_bytes()
        bare = chaining.without_call(content)
        if bare != content:
            yield (
                _path(folder, file),
                None if chaining.is_nothing(bare) else bare,
                bool(file.stat().st_mode & 0o111),
            )
    settings = folder / FILE
    if settings.is_file() and is_only_ours(settings.read_text(encoding="utf-8")):
        yield FILE, None, False


def _is_theirs_by_now(file: Path) -> bool:
    """Whether it is the pipeline that `install` has begun, with what the team has written into it since."""
    return file.name == PIPELINE and file.read_bytes() != begun_pipeline()


def _hooks_of_others(folder: Path) -> Iterator[Path]:
    """Files called like our hook, outside of what git itself keeps."""
    for file in sorted(folder.glob(f"**/{HOOK}")):
        parts = PurePosixPath(_path(folder, file)).parts
        inside = file.is_file() and not {".git", "node_modules"} & set(parts)
        if inside and not is_ours(chaining.without_call(file.read_bytes())):
            yield file


def _path(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()
