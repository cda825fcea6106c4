"""The therapist's console: speaks HTTP, knows the wire, nothing else."""
