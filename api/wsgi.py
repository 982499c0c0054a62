"""What gunicorn loads: `gunicorn -c api/gunicorn_conf.py api.wsgi:app`."""

from __future__ import annotations

from api.app import create_app

app = create_app()
