"""Write tables of text as a spreadsheet file."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence


def write_workbook(sheets: Mapping[str, Sequence[Sequence[str]]], *, widths: Sequence[int] = ()) -> bytes:
    """Write sheets of text cells as an XLSX workbook; no cell becomes a formula.

    Args:
        sheets: name → rows; the first row is the header.
        widths: widths of the columns in characters.
    """
    from openpyxl import Workbook  # noqa: PLC0415 - heavy, and only for workbooks
    from openpyxl.styles import Alignment, Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for place, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(place)].width = width
        for number, row in enumerate(rows, start=1):
            for place, text in enumerate(row, start=1):
                if text == "":
                    continue
                cell = sheet.cell(row=number, column=place)
                cell.value = text
                cell.data_type = "s"
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                if number == 1:
                    cell.font = Font(bold=True)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
