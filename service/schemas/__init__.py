"""The wire: what requests and answers look like; the console imports nothing else of ours.

One module per reader: ``client`` (client apps), ``review`` (the therapist's desk), ``plans``,
``alerts`` (crisis desk), ``admin`` (supervisors and ops), ``problem`` (what an error looks like).
"""
