"""Labels from a few marked voxels: a random forest on the features of each voxel.

A person marks some voxels of each phase, the forest learns from them, and every voxel gets the
probability of each phase. Marks are placed where a person is sure and are never in proportion to
the volumes of the phases, and a forest learns proportions with the rest; so its probabilities are
weighted until the labels have the fractions that the laboratory knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...composition import checked_fractions
from ...microstructure import Microstructure, Scan
from ...numerics.threads import even_shares, over_slabs
from . import classifier_kernels as kernels
from .features import Block, FeatureSet, feature_blocks, pixel_features

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

__all__ = ["PixelClassifier", "Trees", "classify", "train_classifier"]

# Fewer marked voxels than this of a phase are no sample.
_FEWEST_MARKED = 20
# The forest learns from at most so many marked voxels of a phase; strokes are redundant.
_MOST_MARKED = 20_000
# Voxels from which the weights are found; the whole volume then corrects them.
_SAMPLE = 1_000_000
_LEAF = 5
_STEPS = 65535
# Known fractions are met to this, or it is an error.
_TOLERANCE = 0.01
_CLOSE = 2e-4
_MOST_ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of a forest in flat arrays, all nodes one after the other.

    Attributes
    ----------
    roots, depths : ndarray of uint32, shape (n_trees,)
    feature, left : ndarray of uint32, shape (n_nodes,)
        A voxel goes to ``left`` if its feature is not above the threshold, else to the node after.
        A leaf is its own left child.
    threshold : ndarray of float32, shape (n_nodes,)
        Infinite in a leaf.
    value : ndarray of float64, shape (n_nodes, n_phases)
        Shares of the phases among the marked voxels that came to a node.
    """

    roots: NDArray[np.uint32]
    depths: NDArray[np.uint32]
    feature: NDArray[np.uint32]
    left: NDArray[np.uint32]
    threshold: NDArray[np.float32]
    value: NDArray[np.float64]

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the probabilities of the phases, shape (n, n_phases), of features (m, n)."""
        out = np.empty((features.shape[1], self.value.shape[1]))
        kernels.forest(
            features,
            self.roots,
            self.depths,
            self.feature,
            self.threshold,
            self.left,
            self.value,
            out,
        )
        return out


@dataclass(frozen=True, eq=False)
class PixelClassifier:
    """A forest that tells phases apart, and how well it does.

    Attributes
    ----------
    phases : tuple of str
    features : FeatureSet
    trees : Trees
    marked : mapping of str to int
        Marked voxels of each phase.
    confusion : ndarray of float64, shape (n_phases, n_phases)
        Share of the marked voxels of each phase (row) that trees which have not seen them take
        for each phase (column).
    importances : mapping of str to float
        How much each feature contributes to telling the phases apart (mean decrease of impurity);
        the sum is 1, the largest first.
    """

    phases: tuple[str, ...]
    features: FeatureSet
    trees: Trees
    marked: Mapping[str, int]
    confusion: NDArray[np.float64]
    importances: Mapping[str, float]

    @property
    def accuracy(self) -> float:
        """Mean over the phases of the share of marked voxels that unseen trees get right.

        Too favourable: the other voxels of a stroke, which the trees have seen, resemble it.
        """
        return float(np.mean(np.diag(self.confusion)))


def train_classifier(
    scan: Scan,
    scribbles: ArrayLike,
    phases: Sequence[str],
    *,
    scales: Sequence[float] = (1.0, 2.0, 4.0),
    kinds: Sequence[str] = FeatureSet.kinds,
    trees: int = 50,
    depth: int = 12,
    seed: int = 0,
) -> PixelClassifier:
    """Train a classifier from marked voxels.

    A random forest (L. Breiman, Mach. Learn. 45 (2001) 5). Each phase has the same weight in it,
    however many of its voxels are marked. Features are computed only around marked voxels.

    Parameters
    ----------
    scan : Scan
    scribbles : array of whole numbers, shape (nz, ny, nx)
        0 where nothing is marked, k for the k-th phase.
    phases : sequence of str
        Names of the marked phases.
    scales : sequence of float
        Standard deviations of the Gaussian features in voxels (their shortest edge).
    kinds : sequence of str
        Kinds of features; see `FeatureSet`.
    trees, depth : int
        Number of trees and the most decisions from a root to a leaf.
    seed : int
        The same seed gives the same classifier.

    Returns
    -------
    PixelClassifier

    Raises
    ------
    ValueError
        If the scribbles have another shape than the scan, hold numbers without a phase, mark
        fewer than two phases or fewer than 20 voxels of one; if a setting is not allowed.
    """
    marks = _checked_scribbles(scribbles, scan.shape, phases)
    if not 10 <= trees <= 500 or not 1 <= depth <= 30:
        raise ValueError(
            f"{trees!r} trees of depth {depth!r} are not allowed; use 10 to 500 trees of depth "
            "1 to 30"
        )
    chosen = FeatureSet(
        tuple(map(float, scales)), tuple(kinds), float(scan.values[::4].mean(dtype=float))
    )
    kept = _thinned(marks, len(phases), seed)
    features, labels = _marked_features(scan, kept, chosen)
    forest = _fitted(features, labels, trees, depth, seed)
    importances = sorted(
        zip(chosen.names, map(float, forest.feature_importances_), strict=True),
        key=lambda item: -item[1],
    )
    return PixelClassifier(
        tuple(phases),
        chosen,
        _flat(forest),
        {name: int(np.count_nonzero(marks == k + 1)) for k, name in enumerate(phases)},
        _confusion(forest, labels, len(phases)),
        dict(importances),
    )


def classify(
    scan: Scan,
    classifier: PixelClassifier,
    fractions: Mapping[str, float] | Literal["estimated"] | None = None,
) -> Microstructure:
    """Label a scan by a trained classifier.

    Parameters
    ----------
    scan : Scan
        With the grey scale of the scan that the classifier was trained on.
    classifier : PixelClassifier
    fractions : mapping of str to float, ``"estimated"`` or None
        Known volume fractions of the phases: the probabilities p_k are weighted, w_k p_k, until
        the most probable labels have them. ``"estimated"``: the weights are the fractions that
        agree with their own probabilities (M. Saerens et al., Neural Comput. 14 (2002) 21), good
        as far as the forest knows how sure it is. None: every phase is as probable beforehand.

    Returns
    -------
    Microstructure
        Labels 0, 1, 2 ... in the order of the phases, with their probabilities.

    Raises
    ------
    ValueError
        If the fractions are not allowed, or cannot be met to 0.01 by weights.

    Notes
    -----
    Takes ``3 n + 1`` bytes per voxel for n phases besides the scan, and about 200 MB per thread.
    """
    known = None
    if isinstance(fractions, Mapping):
        # Before the forest is asked, which takes its time.
        known = np.array(list(checked_fractions(fractions, classifier.phases).values()))
    elif fractions not in (None, "estimated"):
        raise ValueError(
            f"fractions {fractions!r} are not allowed; give the fraction of each phase by name, "
            "or 'estimated'"
        )
    probable = _forest_probabilities(scan, classifier)
    flat = probable.reshape(len(probable), -1)
    weights = np.ones(len(probable))
    if known is not None:
        weights = _weights_for(flat, known, classifier.phases)
    elif fractions == "estimated":
        weights = _agreeing_fractions(flat)
    labels = np.empty(scan.shape, np.uint8)
    out = np.empty(probable.shape, np.uint8)
    over_slabs(
        kernels.weighted_labels,
        even_shares(labels.size),
        flat,
        weights,
        labels.reshape(-1),
        out.reshape(flat.shape),
    )
    phases = {name: k for k, name in enumerate(classifier.phases)}
    return Microstructure(labels, scan.voxel_size, phases, out)


def _checked_scribbles(
    scribbles: ArrayLike, shape: tuple[int, int, int], phases: Sequence[str]
) -> NDArray:
    marks = np.asarray(scribbles)
    if marks.shape != shape:
        raise ValueError(
            f"scribbles of shape {marks.shape} do not fit a scan of shape {shape}; mark voxels in "
            "an image of the same size, 0 where nothing is marked"
        )
    if marks.dtype.kind not in "uib":
        raise ValueError(
            f"scribbles have dtype {marks.dtype}; whole numbers are needed, 0 where nothing is "
            "marked and k for the k-th phase"
        )
    if len(phases) < 2 or len(set(phases)) < len(phases):
        raise ValueError(
            f"phases {', '.join(phases) or 'none'} cannot be told apart; name at least two, each "
            "once"
        )
    low, high = int(marks.min()), int(marks.max())
    if low < 0 or high > len(phases):
        raise ValueError(
            f"scribbles run from {low} to {high}, but there are {len(phases)} phases; use 0 where "
            f"nothing is marked and 1 to {len(phases)} for {', '.join(phases)}"
        )
    counts = [int(np.count_nonzero(marks == k + 1)) for k in range(len(phases))]
    if sum(count > 0 for count in counts) < 2:
        raise ValueError(
            f"scribbles mark {sum(count > 0 for count in counts)} phase(s); mark some voxels of "
            f"each of {', '.join(phases)}"
        )
    few = int(np.argmin(counts))
    if counts[few] < _FEWEST_MARKED:
        raise ValueError(
            f"scribbles mark {counts[few]} voxel(s) of {phases[few]}; mark at least "
            f"{_FEWEST_MARKED} of each phase, best in several places"
        )
    return marks


def _thinned(marks: NDArray, phases: int, seed: int) -> NDArray[np.uint8]:
    """Return the marks with no more of a phase than the forest needs."""
    kept = marks.astype(np.uint8)
    generator = np.random.default_rng(seed)
    for k in range(1, phases + 1):
        places = np.flatnonzero(kept == k)
        if places.size > _MOST_MARKED:
            drawn = generator.permutation(places.size)[_MOST_MARKED:]
            kept.reshape(-1)[places[drawn]] = 0
    return kept


def _marked_features(
    scan: Scan, marks: NDArray[np.uint8], chosen: FeatureSet
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return the features (n, n_features) and the numbers (n,) of the marked voxels."""
    features, labels = [], []
    # Small blocks: marks are few, and a block without any costs nothing.
    for blocks in feature_blocks(scan, chosen.halo(scan.voxel_size), (32, 32, 32)):
        for block in blocks:
            part = marks[block.place]
            chosen_voxels = part > 0
            if chosen_voxels.any():
                computed = pixel_features(block, chosen, scan.voxel_size)
                features.append(computed[:, chosen_voxels].T)
                labels.append(part[chosen_voxels] - 1)
    return np.concatenate(features), np.concatenate(labels)


def _fitted(
    features: NDArray[np.float32], labels: NDArray[np.uint8], trees: int, depth: int, seed: int
) -> RandomForestClassifier:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=trees,
        max_depth=depth,
        min_samples_leaf=_LEAF,
        # Not "balanced": voxels of rare phases would be drawn so often that no tree is without.
        class_weight="balanced_subsample",
        oob_score=True,
        random_state=seed,
    )
    return forest.fit(features, labels)


def _confusion(
    forest: RandomForestClassifier, labels: NDArray[np.uint8], phases: int
) -> NDArray[np.float64]:
    votes = forest.oob_decision_function_
    judged = np.isfinite(votes).all(axis=1)
    found = np.argmax(votes[judged], axis=1)
    counts = np.bincount(phases * labels[judged].astype(int) + found, minlength=phases**2)
    table = counts.reshape(phases, phases).astype(float)
    return table / table.sum(axis=1, keepdims=True)


def _flat(forest: RandomForestClassifier) -> Trees:
    """Return the trees of a forest in flat arrays, children side by side."""
    roots, parts, first = [], [], 0
    for member in forest.estimators_:
        tree = member.tree_
        order, seen = [0], 0
        while seen < len(order):
            node = order[seen]
            if tree.children_left[node] >= 0:
                order += [tree.children_left[node], tree.children_right[node]]
            seen += 1
        old = np.array(order)
        new = np.empty(old.size, np.int64)
        new[old] = np.arange(old.size)
        leaf = tree.children_left[old] < 0
        left = np.where(leaf, np.arange(old.size), new[tree.children_left[old]]) + first
        parts.append(
            (
                np.where(leaf, 0, tree.feature[old]),
                left,
                np.where(leaf, np.float32(np.inf), _rounded_down(tree.threshold[old])),
                tree.value[old, 0],
            )
        )
        roots.append(first)
        first += old.size
    feature, left, threshold, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Trees(
        np.array(roots, np.uint32),
        np.array([member.tree_.max_depth for member in forest.estimators_], np.uint32),
        feature.astype(np.uint32),
        left.astype(np.uint32),
        threshold.astype(np.float32),
        np.ascontiguousarray(value, np.float64),
    )


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return thresholds in single precision that divide numbers of single precision as before."""
    single = thresholds.astype(np.float32)
    return np.where(single > thresholds, np.nextafter(single, np.float32(-np.inf)), single)


def _forest_probabilities(scan: Scan, classifier: PixelClassifier) -> NDArray[np.uint16]:
    """Return the probabilities that the forest gives, shape (n_phases, nz, ny, nx), in 65535ths."""
    probable = np.empty((len(classifier.phases), *scan.shape), np.uint16)

    def work(first: int, end: int, blocks: Sequence[Block]) -> None:
        for block in blocks[first:end]:
            features = pixel_features(block, classifier.features, scan.voxel_size)
            found = classifier.trees.probabilities(features.reshape(len(features), -1))
            np.round(_STEPS * found, out=found)
            probable[(slice(None), *block.place)] = found.T.reshape(-1, *features.shape[1:])

    for blocks in feature_blocks(scan, classifier.features.halo(scan.voxel_size)):
        over_slabs(work, even_shares(len(blocks)), blocks)
    return probable


def _sample(probable: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return the probabilities of voxels that are spread evenly over the volume."""
    step = max(1, probable.shape[1] // _SAMPLE)
    # A step that shares no factor with the edges of the image does not follow its columns.
    while step > 1 and np.gcd(step, probable.shape[1]) > 1:
        step += 1
    return np.ascontiguousarray(probable[:, ::step])


def _weights_for(
    probable: NDArray[np.uint16], wanted: NDArray[np.float64], phases: Sequence[str]
) -> NDArray[np.float64]:
    """Return weights with which the most probable labels have the wanted fractions.

    For one phase and fixed weights of the others, its weight is a quantile of the ratio of its
    probability to the largest of theirs. The phases are gone through in turn: this is ascent by
    coordinates of a concave function, the dual of an optimal assignment of voxels to phases.
    """
    sample = _sample(probable)
    weights = np.ones(len(wanted))
    aim = wanted.copy()
    # What a sample gets wrong on the whole volume is added to what is asked of it.
    for _ in range(4):
        weights = _weights_on(sample, aim, weights)
        found = _label_fractions(probable, weights)
        if np.max(np.abs(found - wanted)) < _CLOSE:
            break
        aim = np.clip(aim + wanted - found, 0, 1)
        aim /= aim.sum()
    worst = int(np.argmax(np.abs(found - wanted)))
    if abs(found[worst] - wanted[worst]) > _TOLERANCE:
        raise ValueError(
            f"the known fraction {wanted[worst]:.3f} of {phases[worst]} cannot be met: the "
            f"classifier is so sure of its labels that it gets {found[worst]:.3f}; mark more "
            "voxels where phases meet, or look whether the fractions belong to these phases"
        )
    return weights


def _weights_on(
    sample: NDArray[np.uint16], wanted: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    weights = weights.copy()
    count = sample.shape[1]
    ratios = np.empty(count)
    for _ in range(_MOST_ROUNDS):
        for k in range(len(weights)):
            over_slabs(kernels.log_ratios, even_shares(count), sample, weights, k, ratios)
            rank = round((1 - wanted[k]) * count)
            if rank <= 0 or rank >= count:
                weights[k] = 1e-12 if rank else 1e12
                continue
            pair = np.partition(ratios, [rank - 1, rank])[rank - 1 : rank + 1]
            weights[k] = np.exp(-pair.mean())
        weights /= weights.max()
        if np.max(np.abs(_label_fractions(sample, weights) - wanted)) < 0.5 * _CLOSE:
            break
    return weights


def _label_fractions(
    probable: NDArray[np.uint16], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    shares = even_shares(probable.shape[1])
    counts = np.zeros((len(shares), len(weights)), np.int64)
    numbered = [(number, *share) for number, share in enumerate(shares)]
    over_slabs(kernels.count_labels, numbered, probable, weights, counts)
    return counts.sum(axis=0) / probable.shape[1]


def _agreeing_fractions(probable: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return the fractions that are the mean of the probabilities which they are the priors of."""
    sample = _sample(probable).astype(np.float32) / np.float32(_STEPS)
    fractions = np.full(len(sample), 1 / len(sample))
    for _ in range(500):
        weighted = fractions.astype(np.float32)[:, None] * sample
        following = np.mean(weighted / weighted.sum(axis=0), axis=1, dtype=float)
        if np.max(np.abs(following - fractions)) < 1e-6:
            break
        fractions = following
    return following
