"""What to say next, decided without calling a model: stages, plans, cursor, prompts, parsing."""
