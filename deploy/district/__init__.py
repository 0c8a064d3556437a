"""A synthetic district: its companies and people over some years, as five departments hold them, with dirt and truth.

>>> district = whole(seed=7, people=300)
>>> district == whole(seed=7, people=300)
True
>>> len(truth_of(district).planted) > 50
True
"""

from deploy.district.sample import District, blocks, generate, whole
from deploy.district.truth import personal_values, truth_of

__all__ = ["District", "blocks", "generate", "personal_values", "truth_of", "whole"]
