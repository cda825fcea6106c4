"""The service: where planner, safety and models meet, and the only place where words are kept."""
