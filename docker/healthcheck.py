"""Ask the service in this container whether it is ready; exit 0 when it is."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/readyz"
try:
    with urllib.request.urlopen(url, timeout=4) as answer:
        ready = answer.status == 200
except (OSError, urllib.error.URLError) as problem:
    sys.exit(f"{url}: {problem}")
sys.exit(0 if ready else f"{url}: not ready")
