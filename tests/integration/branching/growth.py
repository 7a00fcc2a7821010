"""A repository that has been worked in for years."""


def grown(*, commits: int, branches: int) -> str:
    """For `git fast-import`: so many more commits on the remote's dev, and so many topics from there."""
    lines = ["reset refs/remotes/origin/dev", "from refs/heads/dev^0", ""]

    def commit(ref: str, number: int, start: str = "") -> None:
        lines.extend(
            (f"commit {ref}", f"committer Author <a@example.org> {4_000_000_000 + number} +0000", "data 4")
        )
        lines.extend(("Work", *([f"from {start}"] if start else [])))
        lines.extend((f"M 100644 inline f{number % 50}", f"data {len(str(number))}", str(number), ""))

    for number in range(commits):
        commit("refs/remotes/origin/dev", number)
    for number in range(branches):
        commit(f"refs/remotes/origin/feature/b{number}", number, "refs/remotes/origin/dev^0")
    return "\n".join(lines)
