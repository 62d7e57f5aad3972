# One image for every role: the command says which. See docker-compose.yml and docs/deployment.md.
FROM python:3.11-slim-trixie AS build
WORKDIR /app
COPY locks/base.txt locks/base.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: --require-hashes -r locks/base.txt
ENV PATH=/venv/bin:$PATH
COPY manage.py ./
COPY trm trm
COPY apps apps
COPY migrations migrations
COPY sql sql
# Needs neither servers nor keys: the settings say so where somebody asks for them.
RUN python manage.py collectstatic --noinput \
    && python -m compileall -q trm apps migrations

FROM python:3.11-slim-trixie
# pg_dump and pg_restore of the server's major version or a later one: for `manage.py backup` and `restore`.
# Security updates come with each build, so no version is pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 trm \
    && useradd --system --uid 10001 --gid 10001 --home-dir /app --no-create-home trm \
    && install --directory --owner=10001 --group=10001 /backups
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY deploy/entrypoint.sh deploy/probe.py deploy/
USER 10001:10001
EXPOSE 8000
# The office; every other role has a healthcheck of its own in docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "deploy/probe.py", "http://127.0.0.1:8000/healthz"]
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["uvicorn", "trm.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--no-server-header", "--ws-ping-interval", "30", "--ws-max-size", "65536", "--ws", "apps.live.wire_protocol:Wired"]
