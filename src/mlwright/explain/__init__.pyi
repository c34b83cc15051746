from mlwright.explain._explanation import Explanation
from mlwright.explain._importances import feature_importances, permutation_importance
from mlwright.explain._picture import TreePicture, draw_tree
from mlwright.explain._tree_explainer import TreeExplainer

__all__ = [
    "Explanation",
    "TreeExplainer",
    "TreePicture",
    "draw_tree",
    "feature_importances",
    "permutation_importance",
]
