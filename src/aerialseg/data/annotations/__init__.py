"""Annotations of labelling tools, and the index masks that are drawn from them.

One file reads one format into the values of ``shapes.py``; everything after that knows no format.
"""
