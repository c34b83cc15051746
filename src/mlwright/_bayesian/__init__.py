"""What Bayesian estimators share: their contract, predictive laws, leave-one-out scores, and the export to ArviZ."""
