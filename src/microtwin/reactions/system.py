"""The balances of all species in an image, and how they change with the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ..microstructure import Microstructure
from ..numerics.quarters import to_quarters
from .kinetics import Law, Reaction
from .places import measure
from .species import Concentration, Exchange, Flux, Place, Species, check_place
from .species_grid import SpeciesGrid, species_grid

__all__ = ["Linearised", "State", "Storage", "System", "inner"]


# Values that are worked on at a time, so that intermediate results stay in the cache. On one
# thread: with several, so many short operations would wait for the interpreter most of the time.
CHUNK = 1 << 15

Vector = NDArray[np.float64]
State = list[Vector]


@dataclass(frozen=True, eq=False)
class Storage:
    """An implicit step in time.

    Parameters
    ----------
    rate : float
        Inverse of its length, in 1/s.
    before : list of vectors
        What each voxel held at its start, see `System.amount`.
    """

    rate: float
    before: State = field(repr=False)


@dataclass(frozen=True, eq=False)
class Linearised:
    """What is out of balance, and how that changes with the state.

    Parameters
    ----------
    residual : list of vectors of float64
        What flows into each voxel and is made there, less what stays, by species.
    sizes : list of float
        Norm of the largest of these terms.
    mass : list of vectors of float32
        By how much less there is where there is more of the same species: not below 0.
    ties : dict of (int, int) to vector of float32
        The same for the second species of the pair, and what makes more of itself. Empty for one
        species.
    """

    residual: State = field(repr=False)
    sizes: list[float]
    mass: list[NDArray[np.float32]] = field(repr=False)
    ties: dict[tuple[int, int], NDArray[np.float32]] = field(repr=False)


class System:
    """Species that diffuse and react in an image.

    Parameters
    ----------
    micro : Microstructure
    species : mapping of str to Species
    reactions : sequence of Reaction
    periodic : bool
    alone : bool
        Whether what no source reaches takes part: over time it does.
    highest : mapping of str to float
        Largest concentration at the start, by species.

    Raises
    ------
    ValueError
        If species, reactions and image do not go together.
    """

    def __init__(
        self,
        micro: Microstructure,
        species: Mapping[str, Species],
        reactions: Sequence[Reaction],
        periodic: bool = False,
        alone: bool = False,
        highest: Mapping[str, float] | None = None,
    ) -> None:
        _check(micro, species, reactions, periodic)
        self.micro, self.species, self.reactions = micro, dict(species), list(reactions)
        self.names = list(species)
        self.periodic = periodic
        self.square = micro.voxel_size[0] ** 2
        self.grids: list[SpeciesGrid] = []
        seen: dict[int, SpeciesGrid] = {}
        for one in species.values():
            if id(one) not in seen:
                seen[id(one)] = species_grid(micro, one, periodic, alone)
            self.grids.append(seen[id(one)])
        self.there = [to_quarters(grid.there) for grid in self.grids]
        self.largest = [
            _largest(micro, one, (highest or {}).get(name, 0.0)) for name, one in species.items()
        ]
        most = max(self.largest) or 1.0  # where there is nothing at all, any scale will do
        self.largest = [value or most for value in self.largest]
        self._measures: dict[tuple[Place, bytes], NDArray[np.float32]] = {}
        self.extents = [self._extent(reaction) for reaction in self.reactions]
        self._limiting = [[self.names.index(n) for n in r.laws] for r in self.reactions]
        # Where all species are in the same voxels, what lies outside of them is left out at once.
        self._together = len(seen) == 1
        self._active = [
            extent * self.there[0] if self._together else extent for extent in self.extents
        ]
        planes = max(1, CHUNK // self.there[0].shape[1])
        ends = range(0, micro.shape[0], planes)
        self._chunks = [(first, min(first + planes, micro.shape[0])) for first in ends]

    def zeros(self) -> State:
        """Return a state in which there is nothing."""
        return [grid.operator.zeros(np.float64) for grid in self.grids]

    def _measure(self, place: Place, members: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the extent of a place in voxels in which all of some species have an unknown."""
        grids = list({id(self.grids[s]): self.grids[s] for s in members}.values())
        key = (place, bytes(sorted({self.grids.index(grid) for grid in grids})))
        if key not in self._measures:
            present = grids[0].present
            for grid in grids[1:]:
                present = present & grid.present
            found = measure(self.micro, place, present, self.periodic)
            self._measures[key] = to_quarters(found)
        return self._measures[key]

    def _extent(self, reaction: Reaction) -> NDArray[np.float32]:
        members = tuple(self.names.index(name) for name in reaction.species)
        return self._measure(reaction.where, members)

    def _held(self, s: int, place: Place) -> float:
        """Return the concentration of a species at a place over its unknown."""
        one = self.species[self.names[s]]
        phases = (place,) if isinstance(place, str) else place
        inside = [phase for phase in phases if phase in one.diffusivity]
        return one.held(inside[0]) if inside else 1.0

    def amount(self, s: int, u: Vector, at: slice = slice(None)) -> Vector:
        """Return how much of a species there is in each voxel, over the volume of the voxel.

        Parameters
        ----------
        s : int
            Number of the species.
        u : vector, or the planes `at` of it
        at : slice
        """
        one = self.species[self.names[s]]
        total = np.zeros_like(u)
        for phase in one.diffusivity:
            total += self._measure(phase, (s,))[at] * (one.held(phase) * u)
        for place, isotherm in one.sorption.items():
            c = self._held(s, place) * u
            total += self._measure(place, (s,))[at] * isotherm.amount(c, self.largest[s])
        return total

    def capacity(self, s: int, u: Vector, at: slice = slice(None)) -> Vector:
        """Return the slope of `amount`, of which it takes the arguments."""
        one = self.species[self.names[s]]
        total = np.zeros_like(u)
        for phase in one.diffusivity:
            total += self._measure(phase, (s,))[at] * one.held(phase)
        for place, isotherm in one.sorption.items():
            held = self._held(s, place)
            total += self._measure(place, (s,))[at] * (
                held * isotherm.slope(held * u, self.largest[s])
            )
        return total

    def rates(self, state: State) -> list[Vector]:
        """Return the rate of each reaction in each voxel, per extent of its place."""
        out = [np.empty_like(state[0]) for _ in self.reactions]
        for first, end in self._chunks:
            part = [u[first:end] for u in state]
            for k in range(len(self.reactions)):
                out[k][first:end] = self._rate(k, part)
        return out

    def _laws(self, k: int, state: State) -> list[tuple[int, float, Law, Vector]]:
        """Return the laws of a reaction with species, partition coefficient and concentration."""
        out = []
        for name, law in self.reactions[k].laws.items():
            s = self.names.index(name)
            held = self._held(s, self.reactions[k].where)
            out.append((s, held, law, state[s] if held == 1.0 else held * state[s]))
        return out

    def _rate(self, k: int, state: State) -> Vector:
        laws = self._laws(k, state)
        return reduce(np.multiply, [law.rate(c, self.largest[s]) for s, _, law, c in laws])

    def _rate_slope(self, k: int, state: State, t: int) -> Vector:
        """Return how the rate of a reaction changes with one of the species."""
        factors = []
        for s, held, law, c in self._laws(k, state):
            turned = law.slope(c, self.largest[s]) if s == t else law.rate(c, self.largest[s])
            factors.append(turned if s != t or held == 1.0 else held * turned)
        return reduce(np.multiply, factors)

    def linearised(self, state: State, storage: Storage | None = None) -> Linearised:
        """Return what is out of balance, its size, and how it changes with the state.

        Parameters
        ----------
        state : list of vectors
        storage : Storage, optional

        Returns
        -------
        Linearised
        """
        residual = self.zeros()
        mass = [grid.operator.zeros(np.float32) for grid in self.grids]
        ties = {
            (self.names.index(product), self.names.index(name)): self.grids[0].operator.zeros()
            for reaction in self.reactions
            for product in reaction.amounts
            for name in reaction.laws
            if len(self.names) > 1
        }
        squares = np.zeros((len(self._chunks), len(self.names)))

        def fill(number: int) -> None:
            first, end = self._chunks[number]
            at = slice(first, end)
            part = [u[at] for u in state]
            made: list[Vector | None] = [None] * len(part)
            diagonal = [grid.supply[at].copy() for grid in self.grids]
            for k, (reaction, extent) in enumerate(zip(self.reactions, self._active, strict=True)):
                here = np.multiply(extent[at], self.square, dtype=float)
                rate = here * self._rate(k, part)
                slopes = {t: here * self._rate_slope(k, part, t) for t in self._limiting[k]}
                for name, amount in reaction.amounts.items():
                    s = self.names.index(name)
                    mine, own = made[s], amount * rate
                    made[s] = own if mine is None else mine + own
                    for t, slope in slopes.items():
                        loss = slope if amount == -1.0 else -amount * slope
                        if s == t and amount < 0.0:  # what slows itself down keeps its sign
                            diagonal[s] += np.maximum(loss, 0.0)
                            loss = np.minimum(loss, 0.0) if (s, t) in ties else loss
                        if (s, t) in ties:
                            ties[s, t][at] += (loss * self.there[s][at]).astype(np.float32)
            for s, (u, grid) in enumerate(zip(part, self.grids, strict=True)):
                total = grid.drive[at] - grid.supply[at] * u
                size = [inner(total, total)]
                mine = made[s]
                if mine is not None:
                    if not self._together:
                        mine *= self.there[s][at]
                    size.append(inner(mine, mine))
                    total += mine
                if storage is not None:
                    pace = storage.rate * self.square
                    change = pace * (self.amount(s, u, at) - storage.before[s][at])
                    change *= self.there[s][at]
                    total -= change
                    size.append(inner(change, change))
                    diagonal[s] += pace * self.capacity(s, u, at)
                squares[number, s] = max(size)
                residual[s][at] = total
                mass[s][at] = diagonal[s]
                if storage is not None or not self._together:
                    mass[s][at] *= self.there[s][at]

        for number in range(len(self._chunks)):
            fill(number)
        for s, grid in enumerate(self.grids):
            grid.operator.subtract_product(residual[s], state[s], 1.0)
        sizes = [float(np.sqrt(total)) for total in squares.sum(axis=0)]
        return Linearised(residual, sizes, mass, ties)

    def made(self, rates: list[Vector]) -> list[dict[Place, float]]:
        """Return how much of each species is made in each place, in mol/s, below 0 if used up."""
        out: list[dict[Place, float]] = [{} for _ in self.names]
        volume = float(np.prod(self.micro.voxel_size))
        for reaction, extent, rate in zip(self.reactions, self.extents, rates, strict=True):
            for name, amount in reaction.amounts.items():
                s = self.names.index(name)
                total = volume * amount * float((extent * rate)[self.there[s]].sum())
                out[s][reaction.where] = out[s].get(reaction.where, 0.0) + total
        return out

    @property
    def amount_per_time(self) -> float:
        """The unit of amounts per time on the grids: volume over the square of an edge, in m."""
        return float(np.prod(self.micro.voxel_size)) / self.square

    def inflow(self, state: State) -> list[dict[str, float]]:
        """Return what flows in from each source, in mol/s."""
        return [
            {name: self.amount_per_time * inlet.flow(u) for name, inlet in grid.inlets.items()}
            for u, grid in zip(state, self.grids, strict=True)
        ]


def inner(u: NDArray[np.floating], v: NDArray[np.floating]) -> float:
    """Return u.v; not by BLAS, whose threads would go on spinning on the cores of the solver."""
    return float(np.einsum("ij,ij->", u, v))


def _largest(micro: Microstructure, species: Species, start: float) -> float:
    """Return the scale of the concentrations of a species, 0 where only reactions make it."""
    found = [start]
    for supply in species.supplies.values():
        if isinstance(supply, Concentration):
            found.append(supply.value)
        elif isinstance(supply, Exchange):
            found.append(supply.concentration)
        else:
            assert isinstance(supply, Flux)
            length = max(n * h for n, h in zip(micro.shape, micro.voxel_size, strict=True))
            found.append(supply.value * length / min(species.diffusivity.values()))
    return max(found)


def _check(
    micro: Microstructure,
    species: Mapping[str, Species],
    reactions: Sequence[Reaction],
    periodic: bool,
) -> None:
    if not species:
        raise ValueError("there is no species; give at least one by its name")
    for name, one in species.items():
        one.check(micro, name, periodic)
    for reaction in reactions:
        check_place(micro, reaction.where)
        phases = (reaction.where,) if isinstance(reaction.where, str) else reaction.where
        for name in reaction.species:
            if name not in species:
                raise ValueError(
                    f"a reaction in {reaction.where!r} names {name!r}, which is no species; "
                    f"species are {', '.join(species)}"
                )
            if not any(phase in species[name].diffusivity for phase in phases):
                where = " / ".join(phases)
                raise ValueError(
                    f"{where!r} takes up a species that does not diffuse in it ({name}); give its "
                    "diffusivity"
                )
