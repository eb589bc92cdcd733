"""The error budget of a number: where its uncertainty comes from, and how to write it down.

All terms are absolute standard uncertainties (one standard deviation) in the unit of the
quantity. They come from unrelated sources, so they add in quadrature; a term that has not been
estimated is None, which is not the same as zero.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

__all__ = [
    "ErrorBudget",
    "combine",
    "format_with_uncertainty",
    "relative",
    "tortuosity_uncertainty",
]


@dataclass(frozen=True)
class ErrorBudget:
    """Standard uncertainties of one value, by source, in the unit of the value.

    Parameters
    ----------
    discretisation : float or None
        From the finite voxel size (`microtwin.trust.discretisation_study`).
    sampling : float or None
        From the finite size of the image (`microtwin.trust.subvolume_study`).
    segmentation : float or None
        From the assignment of grey values to phases.
    material : float or None
        From the material parameters put in.

    Raises
    ------
    ValueError
        If a term is negative or not a number.
    """

    discretisation: float | None = None
    sampling: float | None = None
    segmentation: float | None = None
    material: float | None = None

    def __post_init__(self) -> None:
        for name, term in self.terms.items():
            _checked_term(term, name)

    @property
    def terms(self) -> dict[str, float | None]:
        """The four terms by name; None where there is no estimate."""
        return asdict(self)

    @property
    def total(self) -> float | None:
        """Root of the sum of squares of the known terms; None if no term is known."""
        return combine(*self.terms.values())

    @property
    def dominant(self) -> str | None:
        """Name of the largest known term; None if no term is known or all are zero."""
        known = {name: term for name, term in self.terms.items() if term}
        return max(known, key=lambda name: known[name]) if known else None

    def scaled(self, factor: float) -> ErrorBudget:
        """Return the budget of the value times a constant (a change of unit, for example)."""
        terms = self.terms.items()
        return ErrorBudget(**{k: None if v is None else abs(factor) * v for k, v in terms})

    def relative(self, value: float) -> ErrorBudget:
        """Return the same budget as fractions of a value."""
        return ErrorBudget(**{name: relative(term, value) for name, term in self.terms.items()})


def combine(*terms: float | None) -> float | None:
    """Add independent standard uncertainties in quadrature.

    Parameters
    ----------
    *terms : float or None
        Standard uncertainties in one unit; None is an unknown term and is left out.

    Returns
    -------
    float or None
        Root of the sum of squares (GUM, JCGM 100:2008, eq. 10); None if nothing is known.

    Raises
    ------
    ValueError
        If a term is negative or not a number.
    """
    known = [_checked_term(term, "term") for term in terms if term is not None]
    return math.hypot(*(term for term in known if term is not None)) if known else None


def relative(uncertainty: float | None, value: float) -> float | None:
    """Return an uncertainty as a fraction of a value.

    Parameters
    ----------
    uncertainty : float or None
        Absolute standard uncertainty.
    value : float
        The value it belongs to.

    Returns
    -------
    float or None
        ``inf`` for a value of zero with an uncertainty, 0 if both are zero, None if unknown.
    """
    if uncertainty is None:
        return None
    if value == 0:
        return math.inf if uncertainty > 0 else 0.0
    return uncertainty / abs(value)


def tortuosity_uncertainty(
    volume_fraction: float,
    relative_diffusivity: float,
    diffusivity_uncertainty: float,
    fraction_uncertainty: float = 0.0,
    correlation: float = 0.0,
) -> float:
    """Carry uncertainties of D_eff/D_0 and of the volume fraction to the tortuosity factor.

    The first-order (delta) method on tau = eps / D: relative variances add, less twice the
    covariance, because a sample with more pore usually also conducts better
    (GUM, JCGM 100:2008, eq. 13).

    Parameters
    ----------
    volume_fraction : float
        eps, larger than 0.
    relative_diffusivity : float
        D = D_eff/D_0, zero if the phase does not percolate.
    diffusivity_uncertainty, fraction_uncertainty : float
        Standard uncertainties of D and eps.
    correlation : float
        Correlation coefficient of the two deviations, -1 to 1.

    Returns
    -------
    float
        Standard uncertainty of tau; ``inf`` where tau itself is infinite.

    Raises
    ------
    ValueError
        If the volume fraction is not positive, an uncertainty is negative, or the correlation is
        outside -1 to 1.
    """
    if not volume_fraction > 0:
        raise ValueError(
            f"volume fraction {volume_fraction!r} is not allowed; "
            "a tortuosity factor needs a phase that is there, with a fraction above 0"
        )
    if not -1 <= correlation <= 1:
        raise ValueError(f"correlation {correlation!r} is not allowed; give a number from -1 to 1")
    _checked_term(diffusivity_uncertainty, "diffusivity_uncertainty")
    _checked_term(fraction_uncertainty, "fraction_uncertainty")
    if relative_diffusivity == 0:
        return math.inf
    tau = volume_fraction / relative_diffusivity
    a = diffusivity_uncertainty / relative_diffusivity
    b = fraction_uncertainty / volume_fraction
    return abs(tau) * math.sqrt(max(a * a + b * b - 2 * correlation * a * b, 0.0))


def format_with_uncertainty(value: float, uncertainty: float | None, unit: str = "") -> str:
    """Write a value and its uncertainty with the digits they deserve.

    The uncertainty gets two significant digits and the value stops at the same decimal place;
    beyond six digits a common power of ten is taken out.

    Parameters
    ----------
    value : float
    uncertainty : float or None
        Standard uncertainty. None, 0 or not finite: four significant digits of the value alone,
        followed by ``± inf`` in the last case.
    unit : str
        Written behind, as given.

    Returns
    -------
    str

    Examples
    --------
    >>> format_with_uncertainty(0.1401, 0.0014)
    '0.1401 ± 0.0014'
    >>> format_with_uncertainty(2.5312e-15, 4e-17, "m^2")
    '(2.531 ± 0.040)e-15 m^2'
    """
    tail = f" {unit}" if unit else ""
    if not math.isfinite(value) or uncertainty is None or uncertainty == 0:
        return f"{value:.4g}{tail}"
    if not math.isfinite(uncertainty):
        return f"{value:.4g} ± {uncertainty:g}{tail}"
    # Rounding first finds the right decade for an uncertainty such as 0.0996.
    decade = int(f"{abs(uncertainty):.1e}".split("e")[1])
    lead = max(_decade(value), decade)
    decimals = 1 - decade
    if -4 <= lead < 6 and decimals >= 0:
        return f"{value:.{decimals}f} ± {abs(uncertainty):.{decimals}f}{tail}"
    scale, digits = 10.0**-lead, lead - decade + 1
    return f"({value * scale:.{digits}f} ± {abs(uncertainty) * scale:.{digits}f})e{lead:+03d}{tail}"


def _decade(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else -(10**6)


def _checked_term(term: float | None, name: str) -> float | None:
    if term is not None and not term >= 0:
        raise ValueError(
            f"uncertainty {name} = {term!r} is not allowed; "
            "give a standard uncertainty of zero or more, or None where it is unknown"
        )
    return term
