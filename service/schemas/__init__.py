"""The wire: what requests and answers look like.

The console imports nothing else of ours but the words the wire is made of: `planner.vocabulary`,
`planner.plan_rules` and `safety.risk`.

One module per reader: ``client`` (client apps), ``review`` and ``workspace`` (the therapist's
desk), ``plans``, ``alerts`` (crisis desk), ``admin`` and ``insights`` (supervisors and ops),
``harness`` (simulated talks); ``problem`` is what an error looks like, ``wire`` what all share.
"""
