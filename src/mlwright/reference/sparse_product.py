"""Twin of ``mlwright._kernels.sparse_product``."""

from mlwright.reference.linalg import dense


def sparse_product(A, B):
    return dense(A) @ B


def sparse_gram_product(A, transposed, B):
    return dense(A).T @ (dense(A) @ B)
