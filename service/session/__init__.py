"""PURE. A session is a log of events, folded into state, changed by decide functions."""
