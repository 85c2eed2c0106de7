"""Compiles a submission's Triton kernels for a GPU that is not here, in processes of their own."""
