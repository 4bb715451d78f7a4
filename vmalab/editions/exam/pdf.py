"""A page as PDF, by WeasyPrint: tagged, so that it can be read aloud, and the same bytes whenever it is made."""

from __future__ import annotations

import logging
from hashlib import sha256
from pathlib import Path

from vmalab.errors import UsageError


def write_pdf(html: str, path: Path) -> None:
    """Write the page as PDF.  Raises UsageError where the libraries of the system that WeasyPrint needs are missing.

    The same page gives the same bytes with the same version of WeasyPrint and the same fonts.  Some 2 s for a sheet.
    """
    try:
        from weasyprint import HTML
    except OSError as error:  # the package is there, Pango is not
        raise UsageError(
            f"PDF needs Pango, a library of the system (Debian: apt install libpango-1.0-0 libpangoft2-1.0-0; macOS: "
            f"brew install pango): {str(error).splitlines()[0]}; or take --no-pdf, and print the HTML pages"
        ) from None
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # what screens need and paper does not, it ignores
    HTML(string=html).write_pdf(
        path, pdf_variant="pdf/ua-1", pdf_identifier=sha256(html.encode()).hexdigest()[:32].encode()
    )
