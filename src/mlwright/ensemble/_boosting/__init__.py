"""Histogram-based gradient boosting: estimators, and what lies between them and the native loop.

===========================================  =========================================================================
file                                         what it does
===========================================  =========================================================================
``regressor`` ``classifier``                 the estimators: targets, losses and predictions of their own
``quantile_regressor``
``distribution_regressor``
``parameters``                               the parameters they share, and what those may be
``base`` ``continuation``                    ``fit``; ``partial_fit`` and ``refit_leaves``
``prediction``                               scores of a fitted model's trees
``held_out`` ``intervals`` ``sets``          intervals and sets with a stated coverage, from rows held out
``features`` ``category_tables``             what users pass, as one matrix of numbers and places of levels
``new_levels`` ``rows``                      trees that get more levels of a column; targets and weights
``columns`` ``bins`` ``binned_data``         the columns that trees are grown on, and their bins
``losses`` ``distributions`` ``rules``       what the native loop minimises, and under which rules
``driver`` ``control``                       one fit's iterations: early stopping, metrics, callbacks, time limit
``shared_fits``                              many fits on one training set
===========================================  =========================================================================
"""
