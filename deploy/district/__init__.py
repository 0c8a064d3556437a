"""A synthetic district: legal persons over some years, as two departments hold them, with dirt and truth.

>>> district = generate(seed=7, count=50)
>>> district == generate(seed=7, count=50)
True
>>> len(truth_of(district).planted) > 50
True
"""

from deploy.district.databases import apply, revoke, write
from deploy.district.sample import District, generate
from deploy.district.truth import personal_values, truth_of

__all__ = ["District", "apply", "generate", "personal_values", "revoke", "truth_of", "write"]
