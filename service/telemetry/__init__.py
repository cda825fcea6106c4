"""What the service tells its operators: numbers and one log line each, never words or ids.

``metrics`` names everything counted, ``series`` keeps labels to closed sets, ``traces`` sends what
is timed to a collector, ``log`` writes the canonical line from an allow-list of keys.
"""
