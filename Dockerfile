# The image of the web server, the worker and the clock; compose.yaml says which is which.
# docker build -t clinic-scheduling .

FROM node:22-slim AS calendar
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM python:3.11-slim AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt ./
RUN /opt/venv/bin/pip install --require-hashes --only-binary=:all: -r requirements.txt
COPY . .
COPY --from=calendar /app/node_modules node_modules
# Static files depend on no setting; the values only let the command start.
RUN DATABASE_URL=postgresql://build REDIS_URL=redis://build ALLOWED_HOSTS=localhost \
    SECRET_KEY=used-for-nothing-but-to-collect-the-static-files-of-the-image \
    /opt/venv/bin/python manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q api clinic portal scheduling

# pg_dump and pg_restore of the version that compose.yaml runs, with the libraries that they are linked with
FROM postgres:18 AS postgresql
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /opt/postgresql
RUN mkdir bin lib \
    && cp /usr/lib/postgresql/18/bin/pg_dump /usr/lib/postgresql/18/bin/pg_restore bin \
    && ldd bin/* | awk '/=> \// {print $3}' | grep -v '/libc\.so' | sort -u | xargs cp --dereference --target-directory lib

FROM python:3.11-slim
COPY --from=postgresql /opt/postgresql/bin /usr/local/bin
COPY --from=postgresql /opt/postgresql/lib /usr/local/lib
RUN ldconfig \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin clinic \
    && install --directory --owner=clinic --mode=700 /backups
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deploy/check_health.py"]
# Stopping takes up to 30 seconds: docker stop --time 40
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--workers", "2", "--blocking-threads", "4", "--workers-kill-timeout", "30", "clinic.wsgi:application"]
