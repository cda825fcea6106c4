"""What the service tells its operators: numbers and one log line each, never words or ids.

Three files: ``metrics`` names everything counted, ``series`` keeps labels to closed sets,
``log`` writes the canonical line from an allow-list of keys.
"""
