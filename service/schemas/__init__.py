"""The wire: what requests and answers look like; the console imports nothing else of ours.

One module per reader: ``client`` (client apps), ``review`` and ``workspace`` (the therapist's
desk), ``plans``, ``alerts`` (crisis desk), ``admin`` and ``insights`` (supervisors and ops),
``harness`` (simulated talks); ``problem`` is what an error looks like, ``wire`` what all share.
"""
