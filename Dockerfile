# One image for api, worker, `db upgrade` and every other command. What it is made of, and how a tag gets into it:
# docs/how-to/deploy.md.
#
#     docker build -t genpulse:v1.2.3 \
#         --build-arg BUILD_DIGEST=sha256:… --build-arg RUNTIME_DIGEST=sha256:… .
#
# A digest is what a registry says that a tag is today:
#     docker buildx imagetools inspect python:3.12-bookworm --format '{{.Manifest.Digest}}'
# They have no defaults: whoever builds says which base images were looked at. Without them the build ends at once.
ARG BUILD_DIGEST
ARG RUNTIME_DIGEST

# This one has git, which tells the tag.
FROM python:3.12-bookworm@${BUILD_DIGEST} AS build
WORKDIR /src
COPY deploy/image/ deploy/image/
RUN deploy/image/build.sh dependencies /app
# With .git: the stamp is that of the tag that is checked out. .dockerignore leaves out what git ignores, no more,
# or the stamp would say that files are missing.
COPY . .
RUN deploy/image/build.sh package /app
# `--offline` where the build cannot ask the remote: then what it asked last counts.
ARG STAMP_OPTIONS=""
# hadolint ignore=SC2086
RUN deploy/image/build.sh stamp /app ${STAMP_OPTIONS} && rm -r /app/tools

FROM python:3.12-slim-bookworm@${RUNTIME_DIGEST}
COPY --from=build /app /app
# All that is written while it runs, with a root file system that is read-only: what waits for the storage, the sign
# of life of a worker, temporary files. The first is as large as outputs are, so a volume belongs there.
RUN install -d -o 10001 -g 10001 /spool /run/genpulse
ENV PATH=/app/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GENPULSE_STORAGE__SPOOL_DIR=/spool \
    GENPULSE_WORKER__HEALTH_FILE=/run/genpulse/worker
WORKDIR /app
USER 10001:10001
EXPOSE 8000
# Of an api. A worker is asked by `genpulse worker --health`: compose.production.yaml and the chart say so.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-I", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('GENPULSE_API__PORT', '8000') + '/healthz', timeout=4)"]
ENTRYPOINT ["genpulse"]
CMD ["api"]
