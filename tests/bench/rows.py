"""What is put beside what: the rows of the table, and the aims they are held to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.bench.figures import Bench, Row, Spread

Found = Mapping[str, Any]
_HOW = {"exit": "writes only where it stops", "sync": "writes every step"}


def turns(
    bench: Bench, ours: Sequence[Mapping[str, Spread]], theirs: Sequence[Found], missing: str | None
) -> None:
    """Rows of messages and turns; each side's best of all rounds."""
    best = {name: _best([each[name] for each in ours]) for name in ours[0]}
    for name, spread in best.items():
        bench.note(name, spread)
    bench.note("turns_1_rounds_per_s", [each["turns_1"].per_s for each in ours])
    bench.note("peer_rounds", list(theirs))
    peer = {
        name: max((_spread(each[name]) for each in theirs), key=lambda one: one.per_s)
        for name in (theirs[0] if theirs else ())
        if name != "version"
    }
    recorded = peer.get("messages")
    bench.rows += [
        _row("messages accepted, one at a time", best["messages_1"], recorded, missing),
        _row("messages accepted, 16 at once", best["messages"], recorded, missing),
    ]
    for at_once, told in ((1, "one at a time"), (16, "16 at once")):
        mine = min((each[f"turns_{at_once}"].cpu_ms for each in ours), default=0.0)
        cpu = [each[f"turns_{at_once}_exit"]["cpu_ms"] for each in theirs]
        name = f"processor time a turn, {told}"
        bench.note(f"turns_{at_once}_cpu_ms", {"ours": mine, "peer": cpu})
        them_ms = f"{min(cpu):.1f} ms ({_HOW['exit']})" if cpu else missing or "-"
        bench.rows.append(Row(name, f"{mine:.1f} ms", them_ms, min(cpu) / mine if cpu else None))
        for how, mode in _HOW.items():
            them = peer.get(f"turns_{at_once}_{how}")
            row = _row(f"whole turns, {told} ({mode})", best[f"turns_{at_once}"], them, missing)
            aim = ">= 3 x" if how == "sync" else ""
            bench.rows.append(Row(row.name, row.ours, row.theirs, row.ratio, aim))
    guarded = _row(
        f"whole turns, one at a time, ours with the guard ({_HOW['sync']})",
        best["turns_guarded"], peer.get("turns_1_sync"), missing,
    )  # fmt: skip
    bench.rows.append(guarded)


def http(bench: Bench, found: Mapping[str, Spread]) -> None:
    """Rows of the service as it runs; the other side has no such thing."""
    for name, told in (
        ("messages", "messages accepted over HTTP, screened, 16 at once"),
        ("turns_1", "whole turns over HTTP, real safety, one at a time"),
        ("turns_16", "whole turns over HTTP, real safety, 16 at once"),
    ):
        bench.note(f"http_{name}", found[name])
        bench.rows.append(Row(told, str(found[name])))


def sizes(
    bench: Bench, ours: Mapping[str, float], theirs: Found | None, missing: str | None
) -> None:
    """Rows of bytes a turn and of loading 500 events."""
    bench.note("sizes", ours)
    bench.note("peer_sizes", theirs)
    them = _kilobytes(theirs, missing)
    for at in (20, 100):
        mine = ours[f"at_{at}"]
        ratio = theirs["sizes_exit"][f"at_{at}"] / mine if theirs else None
        aim = "< 4 kB, flat"
        bench.rows.append(
            Row(f"bytes a turn, at turn {at}", f"{mine / 1000:.1f} kB", them(at), ratio, aim)
        )
    load = missing or f"{theirs['sizes_exit']['load_ms']:.1f} ms" if theirs else missing or "-"
    told = f"{ours['load_ms']:.1f} ms, of it folding {ours['fold_ms']:.1f} ms"
    bench.rows.append(Row("a session of 500 events, read and folded", told, load))


def queue(
    bench: Bench, sessions: int, ours: Spread, theirs: Found | None, missing: str | None
) -> None:
    """A row of who waits; the other side has no list and reads all it has."""
    bench.note(f"queue_{sessions}", ours)
    bench.note(f"peer_queue_{sessions}", theirs)
    name, aim = f"queue's first page, {sessions:,} sessions", "p99 < 50 ms"
    told = f"p50 {ours.p50_ms:,.1f} ms  p99 {ours.p99_ms:,.1f} ms"
    if theirs is None:
        bench.rows.append(Row(name, told, missing or "-", None, aim))
        return
    them = theirs[f"queue_{sessions}"]
    ratio = them["p99_ms"] / ours.p99_ms
    bench.rows.append(Row(name, told, f"p99 {them['p99_ms']:,.1f} ms (reads all)", ratio, aim))


def _row(name: str, ours: Spread, theirs: Spread | None, missing: str | None) -> Row:
    if theirs is None:
        return Row(name, str(ours), missing or "-")
    return Row(name, str(ours), str(theirs), ours.per_s / theirs.per_s)


def _best(spreads: Sequence[Spread]) -> Spread:
    return max(spreads, key=lambda one: one.per_s)


def _spread(found: Found) -> Spread:
    return Spread(found["per_s"], found["p50_ms"], found["p99_ms"], 0)


def _kilobytes(theirs: Found | None, missing: str | None) -> Callable[[int], str]:
    def told(at: int) -> str:
        if theirs is None:
            return missing or "-"
        least, most = (theirs[f"sizes_{how}"][f"at_{at}"] / 1000 for how in _HOW)
        return f"{least:.1f} kB; every step: {most:.1f} kB"

    return told
