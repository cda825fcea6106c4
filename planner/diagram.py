"""Draws the machine's table for the docs: ``python -m planner.diagram > docs/stages.md``."""

from itertools import product

from planner.machine import TABLE

_HEAD = """# Stages and cursor

Drawn from `planner/machine.py` by `python -m planner.diagram`; a test keeps the two in step.
`opening` is before a stage's first reply, `underway` on any action but the last, `last` on the
last one. Solid arrows are decided replies, dotted ones are a therapist's own acts.
"""


def stages_page() -> str:
    """The page with the table as a mermaid flowchart."""
    arrows = {"reply": "-->", "therapist": "-.->"}
    spots = sorted({f"{rule.stage}_{place}" for rule in TABLE for place in rule.places})
    names = [f'  {spot}["{spot.replace("_", ": ")}"]' for spot in spots]
    edges = [
        f"  {rule.stage}_{here} {arrows[rule.by]}|{rule.change}| {rule.to_stage}_{there}"
        for rule in TABLE
        for here, there in product(rule.places, rule.to_places)
    ]
    return "\n".join([_HEAD, "```mermaid", "flowchart LR", *names, *edges, "```", ""])


if __name__ == "__main__":
    print(stages_page(), end="")
