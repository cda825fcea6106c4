"""From corpus sessions to the two adapters: pairs, recipe, evaluation. Needs torch."""
