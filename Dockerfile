# The shop as an image: web server, worker and every `flask` command, chosen by what it is told to run.
# docs/operations/deploying.md tells how to build and run it; compose.yaml runs the whole shop.

# --- what is fetched and made once: front-end files from the npm lock, the compiled catalogue ---
FROM python:3.12.12-slim-bookworm AS made
WORKDIR /srv/linli
COPY script script
COPY requirements requirements
COPY requirements.txt requirements-dev.txt package.json package-lock.json pyproject.toml config.py wsgi.py ./
COPY migrations migrations
COPY shop shop
# The one way to set up, here as everywhere: packages with their hashes, npm from its wheel when there is none, no package scripts.
RUN python script/setup

# --- what the shop runs on: packages alone, each by its hash ---
FROM python:3.12.12-slim-bookworm AS packages
COPY requirements.txt .
RUN python -m venv /srv/linli/.venv \
 && /srv/linli/.venv/bin/python -m pip install --no-cache-dir --no-compile --require-hashes --only-binary :all: -r requirements.txt

# --- the image ---
FROM python:3.12.12-slim-bookworm
RUN groupadd --system --gid 10001 linli \
 && useradd --system --uid 10001 --gid linli --no-create-home --home-dir /var/lib/linli --shell /usr/sbin/nologin linli \
 && install --directory --owner linli --group linli --mode 0700 /var/lib/linli \
 && install --directory --owner linli --group linli --mode 0750 /run/linli /run/linli/web-1 /run/linli/web-2
WORKDIR /srv/linli
COPY --from=packages /srv/linli/.venv .venv
COPY --from=made /srv/linli/shop shop
COPY pyproject.toml config.py wsgi.py gunicorn.conf.py ./
COPY migrations migrations
COPY script script
ENV PATH=/srv/linli/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    APP_ENV=production \
    INSTANCE_PATH=/var/lib/linli \
    LISTEN=127.0.0.1:8000
USER 10001:10001
VOLUME /var/lib/linli
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["sh", "-c", "exec python script/probe \"$LISTEN\""]
STOPSIGNAL SIGTERM
CMD ["sh", "-c", "exec python -m gunicorn --bind \"$LISTEN\" --graceful-timeout 30 --preload wsgi:app"]
