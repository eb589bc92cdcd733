"""Projections of a tomograph: what they are, and reading them from files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...units import metres
from ..files import tiff
from ..files.hdf5_links import files_behind
from .dxchange import open_dxchange
from .frames import FoundProjections, StoredFrames, frames_of_volume
from .hdf5_frames import located, opened, stored_frames
from .nxtomo import open_nxtomo

__all__ = ["Projections", "projection_files", "read_projections"]

Length = float | str
Frames = NDArray | StoredFrames

_HDF5 = (".nxs", ".nx", ".h5", ".hdf5", ".hdf", ".he5")


@dataclass(frozen=True, eq=False)
class Projections:
    """Projections of a parallel beam, as the detector counts them.

    The rotation axis is vertical: rows are z, and each row is a slice of its own. The frames are
    arrays, or lie in a file (`StoredFrames`) and are read some rows at a time.

    Parameters
    ----------
    values : ndarray or StoredFrames, shape (n_angles, rows, columns)
        The projections; counts, or transmissions if there are no flats.
    angles : array_like, shape (n_angles,)
        Angle of each projection in radians, in any order.
    flats : ndarray or StoredFrames, shape (n, rows, columns) or (rows, columns), optional
        Frames with the beam and without the sample.
    darks : ndarray or StoredFrames, shape (n, rows, columns) or (rows, columns), optional
        Frames without the beam.
    pixel_size : float, str or 2 of them, optional
        Height and width of a pixel at the sample: metres, or text such as ``"1.6 um"``.

    Raises
    ------
    ValueError
        If the frames are not 3-D or not real numbers; if the number of angles is not that of the
        projections, or one is not finite; if flats or darks are of another size; if the pixel
        size is no positive length.
    """

    values: Frames
    angles: NDArray[np.float64]
    flats: Frames | None = None
    darks: Frames | None = None
    pixel_size: tuple[float, float] | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            values: Frames,
            angles: ArrayLike,
            flats: Frames | None = None,
            darks: Frames | None = None,
            pixel_size: Length | Sequence[Length] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        values = _checked_frames(self.values, "the projections")
        count, rows, columns = values.shape
        if count < 3 or columns < 3:
            raise ValueError(
                f"projections of shape {values.shape} are too few or too narrow; at least 3 "
                "projections and 3 columns are needed, with the axes (angle, row, column)"
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "angles", _checked_angles(self.angles, count))
        for noun in ("flats", "darks"):
            given = getattr(self, noun)
            if given is None:
                continue
            frames = _checked_frames(given, f"the {noun}")
            if frames.shape[0] < 1 or frames.shape[1:] != (rows, columns):
                raise ValueError(
                    f"the {noun} have shape {frames.shape} and the projections {values.shape}; "
                    "rows and columns must be the same"
                )
            object.__setattr__(self, noun, frames)
        object.__setattr__(self, "pixel_size", _checked_pixel_size(self.pixel_size))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Projections, rows and columns."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype:
        """Type of one pixel."""
        return self.values.dtype

    def read_rows(self, start: int, stop: int) -> NDArray:
        """Return rows of all projections, shape (n_angles, stop - start, columns)."""
        return _rows(self.values, start, stop)

    def read_flats(self, start: int, stop: int) -> NDArray | None:
        """Return rows of all flats, shape (n, stop - start, columns), if there are flats."""
        return None if self.flats is None else _rows(self.flats, start, stop)

    def read_darks(self, start: int, stop: int) -> NDArray | None:
        """Return rows of all darks, shape (n, stop - start, columns), if there are darks."""
        return None if self.darks is None else _rows(self.darks, start, stop)

    def __repr__(self) -> str:
        count, rows, columns = self.shape
        low, high = np.rad2deg([self.angles.min(), self.angles.max()])
        frames = [
            f"{0 if each is None else each.shape[0]} {noun}"
            for noun, each in (("flats", self.flats), ("darks", self.darks))
        ]
        size = "of unknown size"
        if self.pixel_size is not None:
            size = "of " + " x ".join(f"{1e9 * edge:.4g}" for edge in self.pixel_size) + " nm"
        return (
            f"Projections({count} from {low:.4g} to {high:.4g} degrees, {rows} x {columns} pixels "
            f"{size}, {self.dtype}, {', '.join(frames)})"
        )


def read_projections(
    path: str | Path,
    *,
    pixel_size: Length | Sequence[Length] | None = None,
    angles: ArrayLike | None = None,
    flats: str | Path | Frames | None = None,
    darks: str | Path | Frames | None = None,
    detector: str | None = None,
    dataset: str | None = None,
) -> Projections:
    """Look into a file of projections; the frames are read later, some rows at a time.

    Parameters
    ----------
    path : str or Path
        HDF5 in the layout of NXtomo (``.nxs`` and others) or DXchange, told apart by what is
        inside; a TIFF stack (angle, row, column) or a folder of TIFF files, one projection each,
        in natural order; or one TIFF picture, taken as a sinogram (angle, column) of one row.
    pixel_size : float, str or 2 of them, optional
        Height and width of a pixel at the sample: metres, or text such as ``"1.6 um"``. Wins
        over what the file says.
    angles : array_like, shape (n_angles,), or (start, stop), optional
        Radians, one for each projection; or the range over which they are spread evenly, without
        its end, so that ``(0, np.pi)`` is half a turn. Wins over what the file says; needed where
        it says nothing, as TIFF.
    flats, darks : str, Path, ndarray or StoredFrames, optional
        Frames without a sample and without a beam, as in `Projections`, or a TIFF file with
        them. Win over what the file holds.
    detector : str, optional
        Which ``NXdetector`` group of a NeXus file is meant, its path or the end of it.
    dataset : str, optional
        The dataset with the projections (angle, row, column) of an HDF5 file in neither layout.

    Returns
    -------
    Projections

    Raises
    ------
    ValueError
        If the file is missing, damaged, or holds no projections; if it holds several and none is
        named; if there are no angles, or not one for each projection.
    """
    path = _existing(path)
    found = _found(path, detector, dataset)
    count = found.values.shape[0]
    return Projections(
        found.values,
        _angles(path, found.angles, angles, count),
        found.flats if flats is None else _frames_given(flats),
        found.darks if darks is None else _frames_given(darks),
        found.pixel_size if pixel_size is None else pixel_size,
    )


def projection_files(
    path: str | Path, *, detector: str | None = None, dataset: str | None = None
) -> tuple[Path, ...]:
    """Return all files that projections come from.

    Parameters
    ----------
    path : str or Path
        As in `read_projections`.
    detector, dataset : str, optional
        As in `read_projections`.

    Returns
    -------
    tuple of Path
        The path itself, and the files that its links and virtual datasets lead to.

    Raises
    ------
    ValueError
        If the file is missing, damaged, or holds no projections or several.
    """
    path = _existing(path)
    return (path, *_found(path, detector, dataset).companions)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist; check the path (relative to {Path.cwd()})")
    return path


def _found(path: Path, detector: str | None, dataset: str | None) -> FoundProjections:
    hdf5 = path.suffix.lower() in _HDF5
    if not hdf5 and (detector is not None or dataset is not None):
        raise ValueError(
            f"detector={detector!r}, dataset={dataset!r} are not allowed for {path}: only HDF5 and "
            "NeXus files hold several detectors and datasets; leave them out"
        )
    if not hdf5:
        return _tiff_frames(path, "projections")
    if dataset is not None:
        with opened(path) as file:
            place = located(file, dataset)
        if place is None:
            raise ValueError(f"{path} has no dataset {dataset!r}; {_volumes(path)}")
        return FoundProjections(stored_frames(place), companions=files_behind(path, [dataset]))
    found = open_dxchange(path) or open_nxtomo(path, detector)
    if found is None:
        raise ValueError(
            f"{path} holds neither NXtomo (an NXdetector group with data) nor DXchange "
            f"(/exchange/data); name the projections with dataset=, {_volumes(path)}"
        )
    return found


def _volumes(path: Path) -> str:
    """Return the part of a sentence that lists the 3-D datasets of a file."""
    import h5py

    found: list[str] = []

    def collect(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.ndim == 3:
            found.append(f"{name} {item.shape}")

    with opened(path) as file:
        file.visititems(collect)
    return "its 3-D datasets are " + (", ".join(found) or "none")


def _tiff_frames(path: Path, noun: str) -> FoundProjections:
    if path.is_dir():
        return FoundProjections(frames_of_volume(tiff.open_tiff_folder(path)))
    if path.suffix.lower() not in tiff.SUFFIXES:
        known = ", ".join((*_HDF5, *tiff.SUFFIXES))
        raise ValueError(
            f"the format of {path} is not known by its ending {path.suffix!r}; {noun} are read "
            f"from {known}, and folders of TIFF files"
        )
    picture = _single_picture(path)
    if picture is None:
        volume = tiff.open_tiff(path)
        return FoundProjections(frames_of_volume(volume), companions=volume.companions)
    sinogram = picture[:, None, :]
    return FoundProjections(
        StoredFrames(sinogram.shape, sinogram.dtype, lambda start, stop: sinogram[:, start:stop])
    )


def _single_picture(path: Path) -> NDArray | None:
    """Return the picture of a TIFF file that holds one and no more."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            alone = len(file.series) == 1 and len(series.shape) == 2
            return series.asarray() if alone else None
    except (tifffile.TiffFileError, OSError, IndexError, ValueError) as error:
        raise ValueError(f"{path} is a damaged TIFF file ({error}); copy it again") from None


def _frames_given(given: str | Path | Frames) -> Frames:
    if not isinstance(given, str | Path):
        return given
    frames = _tiff_frames(Path(given), "flats and darks").values
    # A single picture is one frame here, not a sinogram.
    count, rows, columns = frames.shape
    if rows > 1:
        return frames
    return frames.read_rows(0, 1).reshape(1, count, columns)


def _angles(
    path: Path, found: NDArray[np.float64] | None, given: ArrayLike | None, count: int
) -> NDArray[np.float64]:
    if given is None:
        if found is None:
            raise ValueError(
                f"{path} does not tell the angles of its {count} projections; give angles=(0, "
                "np.pi) for half a turn without its end, or one angle in radians for each"
            )
        return found
    numbers = np.asarray(given, np.float64)
    if numbers.shape == (2,) and count != 2:
        start, stop = numbers
        return start + (stop - start) * np.arange(count) / count
    return numbers


def _rows(frames: Frames, start: int, stop: int) -> NDArray:
    if isinstance(frames, StoredFrames):
        return frames.read_rows(start, stop)
    return frames[:, start:stop]


def _checked_frames(frames: Frames, noun: str) -> Frames:
    if not isinstance(frames, StoredFrames):
        frames = np.asarray(frames)
        # One averaged frame is often kept as a picture.
        if frames.ndim == 2 and noun != "the projections":
            frames = frames[None]
    if len(frames.shape) != 3 or frames.dtype.kind not in "uif":
        raise ValueError(
            f"{noun} have shape {frames.shape} and type {frames.dtype}; real numbers with the axes "
            "(frame, row, column) are needed"
        )
    return frames


def _checked_angles(angles: ArrayLike, count: int) -> NDArray[np.float64]:
    array = np.asarray(angles, np.float64)
    if array.shape != (count,):
        raise ValueError(
            f"there are {count} projections and angles of shape {array.shape}; give one angle in "
            "radians for each projection"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{np.count_nonzero(~np.isfinite(array))} angles are NaN or infinite; give finite "
            "radians, or leave these projections out"
        )
    # Half a turn or a turn in degrees; a scan of exactly so many radians would be a coincidence.
    spread = np.ptp(array) * count / (count - 1)
    if min(abs(spread / turn - 1) for turn in (180, 360)) < 0.01:
        raise ValueError(
            f"angles from {array.min():g} to {array.max():g} look like degrees, and radians are "
            "needed; give np.deg2rad(angles)"
        )
    array = array.copy()
    array.flags.writeable = False
    return array


def _checked_pixel_size(
    given: Length | Sequence[Length] | None,
) -> tuple[float, float] | None:
    if given is None:
        return None
    size = metres(given)
    sizes = (size, size) if isinstance(size, float) else tuple(size)
    if len(sizes) != 2 or min(sizes) <= 0:
        raise ValueError(
            f"pixel size {given!r} is not allowed; give one positive length, or height and width "
            "of a pixel at the sample"
        )
    return (sizes[0], sizes[1])
