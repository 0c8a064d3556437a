"""How many examples the exchange's properties are tried on: the same ones in every run."""

from hypothesis import settings

few = settings(max_examples=40, derandomize=True, deadline=None)
many = settings(max_examples=150, derandomize=True, deadline=None)
