"""Who decides, and with what: the two things every act at the review desk needs."""

from typing import NamedTuple

from service.ledger import Ledger
from service.ports import Ports
from service.stores.port import Fence


class Reviewer(NamedTuple):
    """A named human under a claim. ``name`` is the actor written into the log."""

    name: str
    fence: Fence


class Desk(NamedTuple):
    """The log and the world."""

    ledger: Ledger
    ports: Ports
