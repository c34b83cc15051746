"""Ridge regression, its choice of penalties, and classes by it."""
