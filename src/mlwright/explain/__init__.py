"""Why a model of trees predicts what it predicts: SHAP values, importances, pictures of trees."""

from mlwright._lazy import front

__all__, __getattr__, __dir__ = front(
    __name__,
    {
        "Explanation": "mlwright.explain._explanation",
        "TreeExplainer": "mlwright.explain._tree_explainer",
        "TreePicture": "mlwright.explain._picture",
        "draw_tree": "mlwright.explain._picture",
        "feature_importances": "mlwright.explain._importances",
        "permutation_importance": "mlwright.explain._importances",
    },
)
