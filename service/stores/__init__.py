"""Where logs are kept: the same promises three times (memory, SQLite, Redis)."""
