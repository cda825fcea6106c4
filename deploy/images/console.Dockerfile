# syntax=docker/dockerfile:1.7
# The therapist's console: Streamlit and the wire's schemas; no store, no keys, no scrubber.
#   docker build -f deploy/images/console.Dockerfile -t secondchair/console:0.1.0 .
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/console
COPY deploy/images/console.lock ./
RUN /opt/console/bin/pip install --require-hashes --no-deps -r console.lock

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Second Chair: console" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 secondchair \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin secondchair
COPY --from=build /opt/console /opt/console
WORKDIR /opt/app
# Only what the console may import: the wire, and the words it is made of.
COPY planner/__init__.py planner/vocabulary.py planner/plan_rules.py ./planner/
COPY safety/__init__.py safety/risk.py safety/crisis_card.py ./safety/
COPY safety/crisis/card.toml ./safety/crisis/
COPY service/__init__.py ./service/
COPY service/schemas ./service/schemas
COPY ui ./ui
# Theme, toolbar and upload limit; by name, so that no secrets.toml beside it can come along.
COPY .streamlit/config.toml ./.streamlit/
ENV PATH=/opt/console/bin:$PATH \
    PYTHONPATH=/opt/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    SECONDCHAIR_API_URL=http://api:8400 \
    STREAMLIT_BROWSER_GATHER_USAGE_STATS=false \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8401 \
    STREAMLIT_SERVER_FILE_WATCHER_TYPE=none \
    STREAMLIT_CLIENT_SHOW_ERROR_DETAILS=none
USER 10001:10001
EXPOSE 8401
CMD ["streamlit", "run", "ui/app.py"]
