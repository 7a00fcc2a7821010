import pytest

from genpulse.branching.files.errors import FileInTheWay
from genpulse.branching.files.planned import compared


def test_a_file_that_is_new(tmp_path):
    assert compared(tmp_path, "a/b.txt", b"one\n").diff == "--- /dev/null\n+++ b/a/b.txt\n@@ -0,0 +1 @@\n+one\n"


def test_a_file_that_is_as_it_should_be(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"one\n")
    assert compared(tmp_path, "b.txt", b"one\n").diff == ""


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        (b"one\r\n", "-one\\r\n+one\n"),
        (b"one", "-one\n\\ No newline at end of file\n+one\n"),
        (b"\xff\n", "-\\xff\n+one\n"),
        (b"mine\none\n", "-mine\n one\n"),
        (b"", "+one\n"),
    ],
)
def test_whatever_is_there_is_shown_before_it_goes(tmp_path, before, shown):
    (tmp_path / "b.txt").write_bytes(before)
    diff = compared(tmp_path, "b.txt", b"one\n").diff
    assert diff.startswith("--- a/b.txt\n+++ b/b.txt\n@@ ")
    assert diff.endswith(f"@@\n{shown}")


def test_nothing_is_written_through_a_link_that_leads_out(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work/.github").symlink_to(tmp_path)
    with pytest.raises(FileInTheWay, match="leads out of the repository"):
        compared(tmp_path / "work", ".github/flow.yml", b"one\n")


def test_a_link_inside_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "hooks").symlink_to("real")
    (tmp_path / "real/b.txt").write_text("one\n")
    assert compared(tmp_path, "hooks/b.txt", b"one\n").diff == ""


def test_a_folder_and_a_file_in_the_way(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "c").write_text("")
    with pytest.raises(FileInTheWay, match="a/b is not a file"):
        compared(tmp_path, "a/b", b"one\n")
    with pytest.raises(FileInTheWay, match="c is not a folder"):
        compared(tmp_path, "c/d/e", b"one\n")
