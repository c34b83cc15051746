"""Whether effects by group are drawn as they are, or as numbers that their scale multiplies.

Where the rows of a level tell more of its effect than the scale does, effects are nearly independent of the scale;
elsewhere, their standardised numbers are.

Reference: Papaspiliopoulos, Roberts, Sköld (2007), A general framework for the parametrization of hierarchical models.
Statistical Science 22.
"""

from dataclasses import replace

import numpy as np

from mlwright._kernels.glm_density import GlmDensity
from mlwright.bayes._glm.laplace import starting_map

_FLAT = 20.0  # logarithm of a scale whose prior tells nothing of the effects
_DIFFERENCE = 1e-4
_LEAST = 0.1  # of the prior's scale, for a start
_INFORMED = 3.0  # variance of the effects by that of a level's estimate


def with_parametrisation(problem, name):
    """The problem with its terms centred or not, by the score and the information of effects at a fit without any."""
    if not problem.terms:
        return problem
    centred = replace(problem, terms=tuple(replace(term, centred=True) for term in problem.terms))
    density, point = GlmDensity(centred.model), starting_map(centred, name).mode
    point[centred.places["scales"]] = _FLAT
    terms = []
    for t, term in enumerate(problem.terms):
        place = centred.places[f"effects{t}"]
        ahead, behind = (density(_moved(point, place, sign * _DIFFERENCE))[1][place] for sign in (1.0, -1.0))
        score, information = 0.5 * (ahead + behind), np.maximum((behind - ahead) / (2.0 * _DIFFERENCE), 0.0)
        total = np.square(information).sum()
        variance = max(float(np.square(score).sum() - information.sum()) / total, 0.0) if total > 0.0 else 0.0
        told = bool(np.median(variance * information) > _INFORMED)
        deviation = min(max(np.sqrt(variance), _LEAST * term.scale), term.scale / _LEAST)
        terms.append(replace(term, centred=told, start=float(deviation)))
    return replace(problem, terms=tuple(terms))


def _moved(point, place, by):
    moved = point.copy()
    moved[place] += by
    return moved
