"""The slow, readable twins of the kernels, in NumPy. Imports nothing from mlwright."""
