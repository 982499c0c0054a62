"""Set a page as PDF, in a process of its own: reads {"page", "style"} from stdin, writes the PDF to stdout.

It is given all that it needs: no file and no address is opened on behalf of the page, only `data:` addresses.
"""

from __future__ import annotations

import json
import resource
import sys

MISSING = 3
"""Exit status where WeasyPrint, or Pango which it draws with, is not installed."""


def main(seconds: int, megabytes: int) -> None:
    """Set one page.

    Args:
        seconds: processor time after which the system ends this process.
        megabytes: address space that it may use.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    try:
        from weasyprint import CSS, HTML, URLFetcher  # noqa: PLC0415 - an extra
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415
    except (ImportError, OSError):
        sys.exit(MISSING)
    asked = json.load(sys.stdin)
    fonts, fetcher = FontConfiguration(), URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    style = CSS(string=asked["style"], font_config=fonts, url_fetcher=fetcher)
    page = HTML(string=asked["page"], url_fetcher=fetcher)
    sys.stdout.buffer.write(page.write_pdf(stylesheets=[style], font_config=fonts) or b"")
