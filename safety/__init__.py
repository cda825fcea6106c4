"""Danger, personal data and careless words: judged here, by code that needs nothing of ours."""
