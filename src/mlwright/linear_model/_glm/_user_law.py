"""A loss made by ``mlwright.extend.loss`` in the place of a family: what estimators here need of a law."""

import numpy as np

from mlwright._kernels.glm import GlmLoss
from mlwright.linear_model._glm._families import FAMILIES, Law


class _UserFamily:
    """What the base needs of a loss of the user's."""

    dispersed = False
    positive_mean = False

    @staticmethod
    def variance(mu, parameter):
        return np.ones_like(mu)

    @staticmethod
    def saturated(y, parameter):
        return np.zeros_like(y)


class UserLaw(Law):
    """The law that a loss stands for: a link, and no distribution."""

    def __init__(self, loss):
        super().__init__(loss.name, _UserFamily, loss.link, 0.0, has_law=False)
        object.__setattr__(self, "_loss", loss)

    domain_words = "targets in the domain of your loss"
    positive_only = False  # its domain is looked at in fits only

    @property
    def loss(self):
        compiled = self._loss.compile()
        if not hasattr(compiled, "callbacks"):
            raise ValueError(
                f"family: got {self._loss!r}, which is called with all rows at once, expected a loss made by "
                "mlwright.extend.loss; write its functions for one observation"
            )
        return GlmLoss("user", 0.0, compiled.address, compiled.callbacks)

    def first_outside(self, y):
        return self._loss.first_outside(y)

    def first_beyond(self, y):
        return -1, np.inf

    def start_of(self, y, w):
        return self._loss.start_of(y, w)


class ForgottenLaw(Law):
    """In the place of a loss that is gone: a model file holds no code, and parameters may have been set since."""

    def __init__(self, link):
        super().__init__("a loss of your own", _UserFamily, link, 0.0, has_law=False)

    @property
    def loss(self):
        raise ValueError(
            "family: the loss that this model was fitted with is no longer there: a model file holds no code; expected "
            "it for fits and scores; set family to it, e.g. set_params(family=...)."
        )

    def first_outside(self, y):
        return -1

    def first_beyond(self, y):
        return -1, np.inf


def law_of_loss(loss):
    """The law of what stands in the place of a family.

    Raises
    ------
    ValueError
        If it is no loss.
    """
    if not is_loss(loss):
        raise ValueError(
            f"family: got {loss!r}, expected one of {', '.join(map(repr, FAMILIES))} or a loss made by "
            "mlwright.extend.loss."
        )
    return UserLaw(loss)


def is_loss(value):
    """Whether a value of `family` is a loss of the user's."""
    return hasattr(value, "compile") and hasattr(value, "link")
