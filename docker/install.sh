#!/bin/sh
# Install the service into /opt/nrm from the sources in /app, every package checked against its hash.
#
#   docker/install.sh [PYTHON]
set -eu

python=${1:-python3}
cd /app
"$python" -m venv /opt/nrm
/opt/nrm/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check \
    --require-hashes -r requirements-build.txt -r requirements.txt
# The sources stay in /app: diagrams, migrations and texts are read from there.
/opt/nrm/bin/python -m pip install --quiet --no-deps --no-index --no-build-isolation --editable /app
/opt/nrm/bin/python -m pip check
/opt/nrm/bin/python -m compileall -q /app/nrm /app/api
