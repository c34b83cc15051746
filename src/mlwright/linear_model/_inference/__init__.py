"""What a fitted linear model says about its coefficients: standard errors, tests, intervals, a summary.

Every covariance here is bread, or bread times meat times bread: the bread is the inverse of an information matrix
(:mod:`.bread`), the meat is the covariance of the scores (:mod:`.meat`). A model brings its scores and its information
(:mod:`.least_squares`); all else, from p-values to the summary, is shared (:mod:`.result`).
"""
