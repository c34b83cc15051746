"""Histogram-based gradient boosting: estimators, and what lies between them and the native loop.

===========================================  =========================================================================
file                                         what it does
===========================================  =========================================================================
``regressor`` ``classifier``                 the estimators: targets, losses and predictions of their own
``quantile_regressor``
``distribution_regressor``
``parameters``                               the parameters they share, and what those may be
``base`` ``continuation``                    ``fit``; ``partial_fit`` and ``refit_leaves``
``prediction`` ``intervals``                 scores of a fitted model's trees; conformal intervals
``features`` ``category_levels`` ``rows``    what users pass, as numbers, codes, targets and weights
``columns`` ``binned_data``                  the columns that trees are grown on, and their bins
``losses`` ``distributions`` ``rules``       what the native loop minimises, and under which rules
``driver`` ``control``                       one fit's iterations: early stopping, metrics, callbacks, time limit
``shared_fits``                              many fits on one training set
===========================================  =========================================================================
"""
