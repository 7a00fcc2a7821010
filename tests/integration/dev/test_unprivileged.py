"""Root steps down, and what the other user needs lies where that one can reach it."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from genpulse.dev.errors import FolderRefused, UserHasNoName
from genpulse.dev.processes.shared_folders import copy_of, folder_of_ours, place_of
from genpulse.dev.processes.unprivileged import (
    NOBODY,
    User,
    check_name,
    lets_through,
    reachable_program,
    remove_home,
    server_user,
    service_folder,
)
from genpulse.dev.servers.binaries import postgres_binaries

ANOTHER = User(NOBODY, NOBODY)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")


@pytest.fixture
def closed(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    yield folder
    remove_home(folder)


def test_only_root_steps_down():
    assert (server_user() is None) == (os.geteuid() != 0)


def test_a_user_without_a_name_is_told_what_to_do():
    check_name(ANOTHER)
    with pytest.raises(UserHasNoName, match=r"user 424242, who has no line in /etc/passwd.*GENPULSE_DATABASE_URL"):
        check_name(User(424242, 424242))


def test_a_closed_folder_lets_nobody_through(closed):
    assert lets_through(closed, None)
    assert not lets_through(closed, ANOTHER)
    assert lets_through(Path("/usr/bin"), ANOTHER)


def test_for_ourselves_a_service_lies_in_the_home(closed):
    folder = service_folder(closed, "redis", None)
    assert folder == closed / "redis"
    assert folder.is_dir()
    assert not folder.is_symlink()
    assert service_folder(closed, "redis", None) == folder


@as_root
def test_for_another_user_it_lies_elsewhere_and_goes_with_the_home(closed):
    folder = service_folder(closed, "redis", ANOTHER)
    assert (closed / "redis").readlink() == folder
    assert lets_through(folder, ANOTHER)
    assert folder.stat().st_uid == NOBODY
    assert service_folder(closed, "redis", ANOTHER) == folder
    remove_home(closed)
    assert not folder.parent.exists()


@as_root
def test_a_folder_that_was_cleaned_away_is_made_again(closed):
    folder = service_folder(closed, "redis", ANOTHER)
    shutil.rmtree(folder.parent)
    assert service_folder(closed, "redis", ANOTHER) == folder
    assert folder.is_dir()


@as_root
def test_data_of_a_project_that_was_moved_is_not_shared(closed, tmp_path):
    service_folder(closed, "redis", ANOTHER)
    copied = tmp_path / "copied"
    shutil.copytree(closed, copied, symlinks=True)
    copied.chmod(0o700)
    with pytest.raises(FolderRefused, match="moved or copied"):
        service_folder(copied, "redis", ANOTHER)


@as_root
def test_data_of_another_user_is_refused(closed):
    (closed / "redis").mkdir()
    (closed / "redis" / "dump").touch()
    os.chown(closed / "redis", 12345, 12345)
    with pytest.raises(FolderRefused, match="belongs to user 12345"):
        service_folder(closed, "redis", None)
    with pytest.raises(FolderRefused, match="was made by another user"):
        service_folder(closed, "redis", ANOTHER)


@as_root
def test_a_home_keeps_links_of_others_when_it_goes(closed, tmp_path):
    precious = tmp_path / "precious" / "inner"
    precious.mkdir(parents=True)
    (closed / "link").symlink_to(precious)
    remove_home(closed)
    assert precious.is_dir()


def test_a_link_that_somebody_laid_is_not_followed(tmp_path):
    place = place_of(f"genpulse-test-{uuid.uuid4().hex}")
    place.symlink_to(tmp_path)
    try:
        with pytest.raises(FolderRefused, match="a link of user"):
            folder_of_ours(place.name)
    finally:
        place.unlink()


@as_root
def test_a_program_that_cannot_be_reached_is_copied_once_with_what_it_needs(closed):
    tree = closed / "tree"
    (tree / "bin").mkdir(parents=True, mode=0o700)
    beside = closed / "tree.libs"
    beside.mkdir(mode=0o700)
    (beside / "words").write_text(uuid.uuid4().hex)
    (beside / "words").chmod(0o600)
    program = tree / "bin" / "say"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../tree.libs/words"\n')
    program.chmod(0o700)
    copy = reachable_program(program, (tree, beside), ANOTHER)
    try:
        said = subprocess.run([copy], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True)
        assert said.stdout == (beside / "words").read_text()
        assert reachable_program(program, (tree, beside), ANOTHER) == copy
        assert copy.stat().st_uid == 0
        (copy.parents[2] / "tree.libs" / "words").unlink()
        reachable_program(program, (tree, beside), ANOTHER)
        assert (copy.parents[2] / "tree.libs" / "words").exists()
    finally:
        shutil.rmtree(copy.parents[2])


def test_a_program_alone_keeps_its_name(tmp_path):
    program = tmp_path / "server"
    program.write_text(f"#!/bin/sh\necho {uuid.uuid4().hex}\n")
    program.chmod(0o755)
    copy = copy_of(program, (program,))
    try:
        assert copy.name == "server"
        assert subprocess.run([copy], capture_output=True).stdout
    finally:
        shutil.rmtree(copy.parent)


@as_root
def test_postgresql_runs_from_a_copy_too(closed):
    found = postgres_binaries()
    parts = tuple(Path(shutil.copytree(part, closed / part.name)) for part in found.parts)
    program = parts[0] / found.folder.relative_to(found.parts[0]) / "initdb"
    copy = reachable_program(program, parts, ANOTHER)
    data = service_folder(closed, "postgres", ANOTHER) / "data"
    arguments = ["-D", data, "--no-sync", "--no-instructions", "-A", "trust"]
    done = subprocess.run([copy, *arguments], user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert copy.is_relative_to(place_of("genpulse-programs"))
