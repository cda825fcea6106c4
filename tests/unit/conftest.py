"""The pure tests run in two seconds, so that nobody waits for them; nights may search longer.

HYPOTHESIS_EXAMPLES=2000 makes every property search that far.
"""

import os

from hypothesis import settings

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "20"))
settings.register_profile("unit", max_examples=EXAMPLES, deadline=None, database=None)
settings.load_profile("unit")
