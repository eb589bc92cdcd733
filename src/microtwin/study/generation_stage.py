"""The stage that makes a virtual microstructure from its recipe."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from .errors import StudyError
from .recipes import ElectrodeRecipe, GaussianRecipe, Recipe
from .stages import Params, check, stored_microstructure
from .store import StageOutput
from .tasks import Inputs

__all__ = ["PARTICLE_LIST", "generate"]

PARTICLE_LIST = "particles.csv"
# Particles that were grown by more than this are noticeably larger than the recipe asks for.
GROWTH = 1.05


def generate(params: Params, inputs: Inputs) -> StageOutput:
    """Make a virtual microstructure from a recipe and a seed; particles come with their list."""
    recipe = TypeAdapter(Recipe).validate_python(params)
    try:
        return _electrode(recipe) if isinstance(recipe, ElectrodeRecipe) else _gaussian(recipe)
    except ValueError as error:
        raise StudyError(f"generate: {error}") from error


def _electrode(recipe: ElectrodeRecipe) -> StageOutput:
    from ..generation import electrode

    types = [section.particle_type() for section in recipe.particles]
    binder = recipe.binder_fraction
    if recipe.coating is not None:
        fractions, _ = recipe.fractions_and_thickness()
        binder = fractions["binder"]
        sums = {t.phase: sum(o.share for o in types if o.phase == t.phase) for t in types}
        types = [replace(t, share=t.share / sums[t.phase] * fractions[t.phase]) for t in types]
    made = electrode(
        recipe.voxels,
        recipe.voxel_size,
        recipe.porosity,
        binder,
        types,
        recipe.binder_morphology,
        recipe.binder_profile,
        recipe.overlap_tolerance,
        recipe.seed,
        recipe.periodic,
    )
    if recipe.calendering is not None:
        made = made.calendered(**recipe.calendering.model_dump())
    stored = stored_microstructure(made.micro)
    growth = max(made.growth)
    particles = {
        "growth": growth,
        "count": len(made.particles),
        "percentiles": {f"d{p}": made.particles.percentile(p) for p in (10, 50, 90)},
        "order_parameters": [
            made.particles.order_parameter("z", number) for number in range(len(types))
        ],
    }
    numbers = {**stored.numbers, "particles": particles}
    checks = [check("particle_growth", growth, GROWTH, "pass" if growth <= GROWTH else "warn")]
    return replace(
        stored, numbers=numbers, files={PARTICLE_LIST: made.particles.save}, checks=checks
    )


def _gaussian(recipe: GaussianRecipe) -> StageOutput:
    from ..generation import plurigaussian

    lengths = [
        tuple(length / edge for edge in recipe.voxel_size) for length in recipe.correlation_length
    ]
    micro = plurigaussian(
        recipe.shape,
        recipe.fractions,
        lengths,
        recipe.seed,
        recipe.voxel_size,
        recipe.periodic,
    )
    return stored_microstructure(micro)
