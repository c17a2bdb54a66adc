"""Files as a git revision has them, those that DVC tracks from its cache or remote."""

from pathlib import Path

from llmops.errors import UserError


def read_at(root: Path, revision: str, file: str) -> bytes:
    """Return a file's bytes at a revision of the project's repository.

    Raises:
        UserError: no repository, no such revision or file, or neither cache nor remote holds it.
    """
    import dvc.api
    from dvc.exceptions import DvcException
    from dvc.scm import SCMError

    try:
        found: bytes = dvc.api.read(file, repo=str(root.resolve()), rev=revision, mode="rb")
    except (DvcException, SCMError, OSError) as problem:
        said = " ".join(str(problem).split())
        raise UserError(
            f"{revision}:{file}: {said}; name a revision whose results DVC holds (`dvc fetch` brings them)"
        ) from problem
    return found
