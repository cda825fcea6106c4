# syntax=docker/dockerfile:1.7
# The API and the worker: one image, no torch, no compiler, no root, nothing unpinned inside.
# Build from the repository's root:
#   docker build -f deploy/images/service.Dockerfile -t secondchair/service:0.1.0 .
# The base is pinned by tag; pin it by digest too where your registry gives you one:
#   --build-arg PYTHON=python:3.11.14-slim-bookworm@sha256:...
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/secondchair
ENV PATH=/opt/secondchair/bin:$PATH
COPY deploy/images/service.lock ./
RUN pip install --require-hashes --no-deps -r service.lock
COPY pyproject.toml README.md LICENSE ./
COPY planner ./planner
COPY safety ./safety
COPY models ./models
COPY service ./service
COPY ui ./ui
RUN pip install --no-deps --no-build-isolation .

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Second Chair: API and worker" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 secondchair \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin secondchair \
    && install -d -o 10001 -g 10001 /var/lib/secondchair /run/metrics
COPY --from=build /opt/secondchair /opt/secondchair
COPY --chmod=0555 deploy/images/service_start.sh /opt/secondchair/bin/
ENV PATH=/opt/secondchair/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    SECONDCHAIR_ENVIRONMENT=production \
    PROMETHEUS_MULTIPROC_DIR=/run/metrics
USER 10001:10001
WORKDIR /var/lib/secondchair
EXPOSE 8400 8403
STOPSIGNAL SIGTERM
ENTRYPOINT ["service_start.sh"]
CMD ["api", "--host", "0.0.0.0", "--port", "8400", "--workers", "2"]
