# One image for web and worker. Its steps are scripts, so that `make image-check` can run the same ones without Docker.
FROM python:3.11-slim-bookworm AS build
COPY . /app
RUN sh /app/docker/install.sh /usr/local/bin/python3

FROM python:3.11-slim-bookworm
COPY docker/user.sh /tmp/user.sh
RUN sh /tmp/user.sh && rm /tmp/user.sh
COPY --from=build /opt/nrm /opt/nrm
COPY --from=build /app /app
ENV PATH=/opt/nrm/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NRM_DATA_DIR=/var/lib/nrm \
    HOST=0.0.0.0 \
    PORT=8000
WORKDIR /app
USER nrm
VOLUME /var/lib/nrm
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/app/docker/healthcheck.py"]
CMD ["nrm", "serve"]
