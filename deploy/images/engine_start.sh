#!/bin/sh
# Becomes vLLM's OpenAI server with the flags the service counts on; arguments add to them.
#   ENGINE_MODEL    folder of the base model      (default /models/base)
#   ENGINE_NAME     name it is served under       (default base)
#   ENGINE_KEY_FILE file with the key that callers must show
set -eu
if [ -n "${ENGINE_KEY_FILE:-}" ]; then
    # By environment and not by flag: flags are readable in the process list.
    VLLM_API_KEY=$(cat "$ENGINE_KEY_FILE")
    export VLLM_API_KEY
fi
# Same flags as models/cpu_engine.py: a name per content, room for two roles each old and new,
# a schema without free whitespace, and no prompt ever logged.
exec python3 -m vllm.entrypoints.openai.api_server \
    --host 0.0.0.0 --port 8402 \
    --model "${ENGINE_MODEL:-/models/base}" --served-model-name "${ENGINE_NAME:-base}" \
    --enable-lora --max-loras 4 --max-lora-rank 16 \
    --enable-prefix-caching --block-size 32 --enable-prompt-tokens-details \
    --structured-outputs-config '{"backend":"xgrammar","disable_any_whitespace":true}' \
    --no-enable-log-requests --disable-uvicorn-access-log \
    "$@"
