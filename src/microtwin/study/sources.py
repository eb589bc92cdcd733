"""The files of the user that a study reads, with all that they refer to."""

from __future__ import annotations

from pathlib import Path

__all__ = ["files_of"]


def files_of(
    path: Path,
    *,
    projections: bool = False,
    dataset: str | None = None,
    detector: str | None = None,
) -> tuple[Path, ...]:
    """Return all files that an image or projections come from, the one named first.

    Parameters
    ----------
    path : Path
        As the study names it.
    projections : bool, optional
        Whether it holds projections instead of a volume.
    dataset, detector : str, optional
        What the study says of the content of the file.

    Returns
    -------
    tuple of Path
        Only the path itself if the file cannot be understood: the stage that reads it says why.
    """
    from ..imaging import open_volume, projection_files

    try:
        if projections:
            return projection_files(path, dataset=dataset, detector=detector)
        return open_volume(path, dataset=dataset).files
    except Exception:
        # A plan is also made to be looked at; what is wrong here is wrong in the stage too.
        return (path,)
