"""How much of a number is owed to the labels: the same number on other plausible labels.

Four things can be wrong:

- *spread*: the properties of plausible segmentations scatter, because the fractions are known only
  so well and interfaces lie here or there;
- *shift*: their mean differs from the value of the labels that were chosen, which are smoother
  than any plausible truth;
- *bias*: where a virtual scan of a plausible truth has been segmented in the same way, the
  property of the answer differs from that of the truth;
- *model*: other models of how the phases look, which could as well be believed, give other labels.

Shift and bias have the same cause, labels that are smoother than the truth, and each sees a part
of it: they are added, and the sum, the spread and the part of the model are added in quadrature.

Properties of the members are computed on voxels twice as large. The coarse values are a control
variate: what a few members have on the fine voxels beyond it is added to all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..microstructure import Microstructure

__all__ = ["MemberStudy", "SegmentationStudy", "segmentation_study"]

Quantities = Callable[[Microstructure], Mapping[str, float]]
Pair = tuple[Microstructure, Microstructure]

# Fewer voxels along an axis are not coarsened.
_SHORTEST = 16


@dataclass(frozen=True)
class MemberStudy:
    """One quantity on plausible segmentations, in its unit.

    Parameters
    ----------
    whole : float
        Value of the chosen labels.
    members : tuple of float
        Values of the members, as estimated for the voxels of the image.
    spread : float
        Standard deviation of the members.
    shift : float
        Their mean less the value of the chosen labels.
    bias : float or None
        Root mean square difference of answer and truth in rehearsals, on the scale of `whole`; None
        without rehearsals.
    model : float or None
        Difference between the labels of other models and the chosen ones, root mean square of
        those that differ in one thing, and root of the sum of the squares over all things; on the
        scale of `whole`. None without alternatives.
    uncertainty : float
        Standard uncertainty: the root of spread^2 + (abs(shift) + bias)^2 + model^2.
    """

    whole: float
    members: tuple[float, ...]
    spread: float
    shift: float
    bias: float | None
    model: float | None
    uncertainty: float


@dataclass(frozen=True)
class SegmentationStudy:
    """Every quantity on plausible segmentations.

    Parameters
    ----------
    quantities : mapping of str to MemberStudy
        By name; those that are not finite, or zero, on the chosen labels are left out, and those
        of `undefined`.
    undefined : mapping of str to int
        Quantities that are finite on the chosen labels, and on how many segmentations, the chosen
        one on coarse voxels among them, they are not or vanish: a tortuosity factor where a phase
        does not percolate. Their uncertainty is not known.
    members, fine, rehearsals, alternatives : int
        How many segmentations were drawn, on how many of them the quantities were computed on
        the fine voxels too, and how many rehearsals and alternatives there were.
    """

    quantities: Mapping[str, MemberStudy]
    undefined: Mapping[str, int]
    members: int
    fine: int
    rehearsals: int
    alternatives: int


def segmentation_study(
    micro: Microstructure,
    quantities: Quantities,
    draw: Callable[[int], Microstructure],
    *,
    whole: Mapping[str, float] | None = None,
    members: int = 8,
    fine: int = 2,
    rehearsals: Iterable[Pair] = (),
    alternatives: Iterable[tuple[str, Microstructure, Microstructure]] = (),
    kind: Callable[[str], str] = str,
) -> SegmentationStudy:
    """Compute quantities on plausible segmentations of an image.

    With q the value on fine and c that on coarse voxels, r = q / c on the chosen labels, and a bar
    for the mean over the members that have both, the value of member k on the fine voxels is
    estimated as ``q_0 + r (c_k - c_0) + mean(q - q_0 - r (c - c_0))``.

    Parameters
    ----------
    micro : Microstructure
        The chosen labels.
    quantities : callable
        ``quantities(micro)`` returns numbers by name.
    draw : callable
        ``draw(k)`` returns the k-th plausible segmentation.
    whole : mapping of str to float, optional
        Quantities of the chosen labels, if they are known.
    members, fine : int
        How many segmentations to draw, and on how many of them to compute the quantities on the
        fine voxels.
    rehearsals : iterable of (truth, answer)
        Blocks of labels that were taken for true, and what the segmentation made of them.
    alternatives : iterable of (source, chosen, other)
        What another model differs in, blocks of the chosen labels, and what it made of them.
    kind : callable, optional
        ``kind(name)`` is equal for quantities that err alike, such as one property in three
        directions: their rehearsals and alternatives count together, as a few blocks say little
        of one direction.

    Returns
    -------
    SegmentationStudy

    Raises
    ------
    ValueError
        If there are fewer than two members, or not at least one of them is fine.
    """
    if members < 2 or not 1 <= fine <= members:
        raise ValueError(
            f"{members} members of which {fine} are fine are not allowed; draw at least 2, and "
            "compute at least 1 and at most all of them on the fine voxels"
        )
    coarsened = min(micro.shape) >= _SHORTEST
    fine = fine if coarsened else members
    chosen = dict(quantities(micro) if whole is None else whole)
    coarse_chosen = quantities(micro.coarsen(2)) if coarsened else chosen
    fine_values, coarse_values = [], []
    for k in range(members):
        member = draw(k)
        if k < fine:
            fine_values.append(quantities(member))
        coarse_values.append(quantities(member.coarsen(2)) if coarsened else fine_values[-1])
    biases, rehearsed = _mean_squares((("", *pair) for pair in rehearsals), quantities, kind)
    others, compared = _mean_squares(alternatives, quantities, kind)
    found: dict[str, MemberStudy] = {}
    undefined: dict[str, int] = {}
    for name, value in chosen.items():
        study = _member_study(
            value,
            coarse_chosen.get(name, math.nan),
            [values.get(name, math.nan) for values in fine_values],
            [values.get(name, math.nan) for values in coarse_values],
            biases.get(kind(name)),
            others.get(kind(name)),
        )
        if study is not None:
            found[name] = study
        elif math.isfinite(value) and value:
            coarse = [values.get(name, math.nan) for values in coarse_values]
            undefined[name] = sum(not math.isfinite(c) for c in coarse)
            undefined[name] += not math.isfinite(c := coarse_chosen.get(name, math.nan)) or c == 0
    return SegmentationStudy(found, undefined, members, fine, rehearsed, compared)


def _mean_squares(
    compared: Iterable[tuple[str, Microstructure, Microstructure]],
    quantities: Quantities,
    kind: Callable[[str], str],
) -> tuple[dict[str, float], int]:
    """Return mean squares of relative differences by kind, and how many pairs there are.

    The mean is over all of one source; different sources add up. A quantity that is no longer
    finite has changed by all of itself, as its reciprocal has, which is then zero.
    """
    found: dict[str, dict[str, list[float]]] = {}
    before, values, number = None, {}, 0
    for source, first, second in compared:
        number += 1
        # Several in a row may be compared with the same labels.
        values = values if first is before else dict(quantities(first))
        before, others = first, quantities(second)
        for name, value in values.items():
            if value and math.isfinite(value) and name in others:
                ratio = others[name] / value
                change = ratio - 1.0 if math.isfinite(ratio) else 1.0
                of_kind = found.setdefault(kind(name), {})
                of_kind.setdefault(source, []).append(change**2)
    sums = {
        name: sum(float(np.mean(squares)) for squares in sources.values())
        for name, sources in found.items()
    }
    return sums, number


def _member_study(
    value: float,
    coarse: float,
    fine_members: Sequence[float],
    coarse_members: Sequence[float],
    bias_square: float | None,
    model_square: float | None,
) -> MemberStudy | None:
    """Return the study of one quantity, or None where there is nothing to compare."""
    numbers = np.array([value, coarse, *fine_members, *coarse_members], float)
    if not np.isfinite(numbers).all() or value == 0 or coarse == 0:
        return None
    ratio = value / coarse
    control = ratio * (np.array(coarse_members) - coarse)
    rest = np.array(fine_members) - value - control[: len(fine_members)]
    estimates = value + control + rest.mean()
    spread = float(np.std(estimates, ddof=1))
    shift = float(np.mean(estimates) - value)
    # Root mean squares: differences of either sign would cancel in the mean.
    bias, model = (
        None if square is None else abs(value) * math.sqrt(square)
        for square in (bias_square, model_square)
    )
    total = math.hypot(spread, abs(shift) + (bias or 0.0), model or 0.0)
    return MemberStudy(value, tuple(map(float, estimates)), spread, shift, bias, model, total)
