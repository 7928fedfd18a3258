"""Numerical kernels: each beside its plain formulation."""
