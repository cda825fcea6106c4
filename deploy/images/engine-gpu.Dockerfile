# syntax=docker/dockerfile:1.7
# The engine on a GPU: vLLM's own image, made to run without root, with a true readiness check.
#   docker build -f deploy/images/engine-gpu.Dockerfile -t secondchair/engine-gpu:0.1.0 .
# Weights and adapters are mounted read-only, never built in.
ARG VLLM=vllm/vllm-openai:v0.32.0

FROM ${VLLM}
LABEL org.opencontainers.image.title="Second Chair: engine (GPU)" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 secondchair \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /home/engine \
        --shell /usr/sbin/nologin secondchair
COPY --chmod=0555 deploy/images/engine_ready.py deploy/images/engine_start.sh /opt/engine/
ENV HOME=/home/engine \
    HF_HUB_OFFLINE=1 \
    TRANSFORMERS_OFFLINE=1 \
    VLLM_NO_USAGE_STATS=1 \
    DO_NOT_TRACK=1 \
    VLLM_ALLOW_RUNTIME_LORA_UPDATING=1
USER 10001:10001
WORKDIR /home/engine
EXPOSE 8402
ENTRYPOINT ["/opt/engine/engine_start.sh"]
CMD ["--dtype", "bfloat16", "--max-model-len", "8192", "--gpu-memory-utilization", "0.90"]
