"""Start vLLM on the CPU with the flags the service counts on; the process becomes the engine.

Run by the engine environment's Python: ``.venv-engine/bin/python -m models.cpu_engine``.
On a GPU the same flags stand in ``deploy/``; only dtype, memory and parallelism differ.
"""

import argparse
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.base_model import DEFAULT_FOLDER, prepare

DEFAULT_PORT = 8402
MAX_LORAS = 4
"""Two roles, each with an old and a new adapter during a rollout."""
MAX_LORA_RANK = 16
"""Equal to the adapters' rank: a larger one costs throughput for nothing."""


@dataclass(frozen=True, slots=True)
class CpuEngine:
    """Where the engine listens and what it serves."""

    port: int = DEFAULT_PORT
    folder: Path = DEFAULT_FOLDER
    max_model_len: int = 4096
    """Tokens of prompt and answer together."""

    def command(self) -> list[str]:
        """The server's arguments after ``python``."""
        return [
            *("-m", "vllm.entrypoints.openai.api_server"),
            # Never anything but loopback: vLLM's admin routes load files from paths.
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *("--model", str(self.folder), "--served-model-name", self.folder.name),
            *("--dtype", "float32", "--max-model-len", str(self.max_model_len)),
            *("--max-num-seqs", "16"),
            *("--enable-lora", "--max-loras", str(MAX_LORAS)),
            *("--max-lora-rank", str(MAX_LORA_RANK)),
            # The CPU's own block is 128 tokens: a turn would lose half of one to rounding.
            *("--enable-prefix-caching", "--block-size", "32"),
            "--enable-prompt-tokens-details",
            # Small models fill a permitted space with spaces until the token limit.
            "--structured-outputs-config",
            '{"backend":"xgrammar","disable_any_whitespace":true}',
            # Request logs would hold prompts; access logs say nothing the service does not.
            "--no-enable-log-requests",
            "--disable-uvicorn-access-log",
        ]

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """The server's environment: ours, plus what makes it local, quiet and changeable."""
        return {
            "OMP_NUM_THREADS": str(os.cpu_count() or 1),
            "VLLM_CPU_KVCACHE_SPACE": "2",
            "VLLM_LOGGING_LEVEL": "WARNING",
            **outer,
            "VLLM_API_KEY": outer.get("SECONDCHAIR_ENGINE_KEY", ""),
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
        }


def _plug_in(where: Path) -> str:
    """Let vLLM find our plugin as it finds installed ones, and return the PYTHONPATH that does."""
    known = where / "secondchair_engine-1.dist-info"
    known.mkdir(parents=True, exist_ok=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: secondchair-engine\nVersion: 1\n")
    (known / "entry_points.txt").write_text(
        "[vllm.general_plugins]\nsecondchair_cpu_lora = models.cpu_lora:install\n"
    )
    return os.pathsep.join((str(where.resolve()), str(Path(__file__).parents[1])))


def _leave_no_workers(mark: str) -> None:
    """See to it that vLLM's worker processes die with the server, even if it is killed outright.

    They do not notice a killed server by themselves and would keep 4 GB. A watcher waits for the
    end of a pipe that only the server holds open, then kills what still carries the mark.
    """
    ending, held = os.pipe()
    if os.fork():
        os.close(ending)
        os.set_inheritable(held, True)
        return
    os.close(held)
    for stop in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(stop, signal.SIG_IGN)
    os.read(ending, 1)
    for process in _marked(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    os._exit(0)


def _marked(mark: str) -> list[int]:
    """List the processes of ours whose environment carries the mark (Linux)."""
    marked: list[int] = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes():
                marked.append(int(process.name))
    return marked


def main() -> None:
    """Prepare the base if needed, then turn this process into the server."""
    parser = argparse.ArgumentParser(description="Run vLLM on the CPU for the service.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    wanted = parser.parse_args()
    if wanted.folder != DEFAULT_FOLDER and not wanted.folder.is_dir():
        parser.error(f"{wanted.folder} holds no model")
    engine = CpuEngine(wanted.port, wanted.folder)
    prepare(engine.folder)
    mark = secrets.token_hex(16)
    _leave_no_workers(mark)
    environment = {
        **engine.environment(os.environ),
        "SECONDCHAIR_ENGINE_MARK": mark,
        "PYTHONPATH": _plug_in(Path("var/engine-plugin")),
    }
    # exec, not a child: a supervisor's signals then reach the server itself.
    os.execve(sys.executable, [sys.executable, *engine.command()], environment)  # noqa: S606


if __name__ == "__main__":
    main()
