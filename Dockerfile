# Two images from one file (BuildKit, Docker's own builder since 23):
#   docker build -t okd-bff .                        production: web, feed, worker, migrate
#   docker build -t okd-sandbox --target sandbox .   the whole sandbox world in one container

# GraphiQL: only what this stage writes into dist goes on. Its lock names packages by hash and no
# registry, so npm's own settings decide where they come from; none may run a script of its own.
FROM node:24-bookworm-slim AS web
WORKDIR /srv/okd/adapters/web
COPY adapters/web/package.json adapters/web/package-lock.json adapters/web/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY adapters/web ./
COPY adapters/gateway/pages/starters.js adapters/gateway/pages/sign-in.js ../gateway/pages/
RUN npm run build


FROM python:3.11-slim-bookworm AS base
# The root file system is read-only in compose.yaml, so Python does not try to write there.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /srv/okd


FROM base AS builder
COPY requirements.txt ./
# Wheels only: nothing is compiled, so no build tool is needed. Bytecode is made here, and believed
# without a look at times of files, which copying between stages may change.
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --no-deps \
    --require-hashes --only-binary :all: -r requirements.txt \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib


FROM builder AS sandbox-builder
COPY requirements-sandbox.txt ./
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile --no-deps \
    --require-hashes --only-binary :all: -r requirements-sandbox.txt \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/venv/lib


FROM base AS sandbox-sources
COPY app.py ./
COPY schema schema
COPY resolvers resolvers
COPY domain domain
COPY adapters adapters
COPY docs docs
RUN rm -r adapters/devtools adapters/web \
 && python -m compileall -q --invalidation-mode unchecked-hash .
COPY --from=web /srv/okd/adapters/web/dist adapters/web/dist


FROM sandbox-sources AS sources
# Production has no sandbox, not even its code.
RUN rm -r adapters/sandbox


FROM base AS runtime
# pip and its company stay with the builder; a shell in this image could install nothing.
RUN python -m pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip \
 && groupadd --gid 10001 okd \
 && useradd --uid 10001 --gid okd --no-log-init --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin okd
ENV PATH=/opt/venv/bin:$PATH \
    OKD_HOST=0.0.0.0
STOPSIGNAL SIGTERM


FROM runtime AS sandbox
LABEL org.opencontainers.image.title="okd-sandbox" \
      org.opencontainers.image.description="OKD Finance's GraphQL BFF with a sandbox exchange and databases of its own. Not for production." \
      org.opencontainers.image.licenses="Apache-2.0"
# The supervisor is not an init: tini reaps what outlives its parent (a killed database's children).
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o okd -g okd -m 0700 /var/lib/okd
COPY --from=sandbox-builder /opt/venv /opt/venv
COPY --from=sandbox-sources /srv/okd /srv/okd
# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
VOLUME /var/lib/okd
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('OKD_PORT', '8000')), timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["tini", "--", "python", "app.py", "run", "--host=0.0.0.0", "--data-dir=/var/lib/okd"]


FROM runtime AS production
ARG REVISION=unknown
LABEL org.opencontainers.image.title="okd-bff" \
      org.opencontainers.image.description="OKD Finance's GraphQL BFF: web, feed, worker and migrate." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /opt/venv /opt/venv
COPY --from=sources /srv/okd /srv/okd
# A new volume takes its owner from what it covers.
RUN install -d -o okd -g okd -m 0700 /var/lib/okd/files
USER 10001:10001
EXPOSE 8000 9000
# Alive, not ready: an orchestrator restarts what is unhealthy, and a restart mends no database.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('OKD_OPERATIONS_PORT', '9000')), timeout=4); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["python", "app.py"]
CMD ["web"]
