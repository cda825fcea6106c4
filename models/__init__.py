"""Everything about weights: the engine's client, adapters, rollouts, training, evaluation."""
