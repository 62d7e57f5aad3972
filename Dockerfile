FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY locks/base.txt locks/base.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r locks/base.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app trm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py ./
COPY trm trm
COPY apps apps
COPY migrations migrations
COPY sql sql
RUN python manage.py collectstatic --noinput
USER trm
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["uvicorn", "trm.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--no-server-header", "--ws-ping-interval", "30", "--ws-max-size", "65536", "--ws", "apps.live.wire_protocol:Wired"]
