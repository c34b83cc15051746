"""What every importer returns: a forest as arrays, and how its sums become predictions."""

from dataclasses import dataclass, field

import numpy as np

from mlwright._runtime.errors import ModelFormatError


class UnsupportedModelError(ModelFormatError):
    """A model that is valid where it comes from, but has a part that no importer takes over; the message names it."""


@dataclass
class ImportedModel:
    """A model of another library, in this one's terms.

    Attributes
    ----------
    source : str
        Library, format and objective, for people.
    trees : dict of arrays
        As ``mlwright._kernels.tree`` describes.
    start : float64 array of shape (n_outputs,)
        What the sum of every output begins with.
    n_features : int
    is_classifier : bool
    link : str
        A key of ``mlwright.deploy._links.LINKS``: from sums to predictions.
    scale : float
        Factor on the sums before the link.
    input_dtype, sum_dtype : {"float64", "float32"}
        What inputs are rounded to before they are compared, and what every addition is rounded to.
    divide_by : int
        The sums are divided by this.
    accepts : {"any", "nan", "finite"}
        Which numbers the source takes: all, all but infinities, finite ones.
    feature_names : list of str or None
    classes : array or None
        Labels of a classifier.
    decision : {"probability", "positive", "not_negative"}
        How a classifier picks one of two classes: the likelier one, or the second one if the sum is as it says.
    categories : dict of int to array
        Columns whose values are looked up among these categories, of numbers or of strings; the trees see positions.
    table_categories : list of arrays
        The same for the category columns of tables, from the left; arrays hold the positions already.
    foreign_categories : {"missing", "refused"}
        What cells of those columns are that hold another category.
    absent : {"refused", "zero", "missing"}
        What a cell is that a sparse matrix does not store; refused where the source takes no sparse matrix.
    """

    source: str
    trees: dict
    start: np.ndarray
    n_features: int
    is_classifier: bool = False
    link: str = "identity"
    scale: float = 1.0
    input_dtype: str = "float64"
    sum_dtype: str = "float64"
    divide_by: int = 1
    accepts: str = "any"
    feature_names: list | None = None
    classes: np.ndarray | None = None
    decision: str = "probability"
    categories: dict = field(default_factory=dict)
    table_categories: list = field(default_factory=list)
    foreign_categories: str = "missing"
    absent: str = "refused"

    def with_labels_of(self, estimator, booster):
        """This model with the labels of the estimator it was read from, if that is a classifier.

        ``booster``: how one gets at what that estimator wraps.
        """
        if not hasattr(estimator, "classes_"):
            return self
        if not self.is_classifier:
            raise UnsupportedModelError(
                f"from_model: got a {type(estimator).__name__} whose objective ({self.source}) gives no probabilities; "
                f"expected one of its library's own objectives of classification; import its {booster} for the scores"
            )
        self.classes = np.asarray(estimator.classes_)
        return self
