"""Receipts are read as people type them."""

from __future__ import annotations

import pytest

from nrm.rules.receipts import make_receipt, read_receipt


def test_a_receipt_is_twenty_letters_that_cannot_be_mistaken():
    assert make_receipt(bytes(range(20))) == "0123-4567-89AB-CDEF-GHJK"


@pytest.mark.parametrize(
    "typed",
    ["0123-4567-89AB-CDEF-GHJK", " 0123 4567 89ab cdef ghjk ", "O1234567 89ABCDEFGHJK", "٠١٢٣-٤٥٦٧-٨٩AB-CDEF-GHJK"],
)
def test_a_receipt_is_found_however_it_is_typed(typed: str):
    assert read_receipt(typed) == "0123-4567-89AB-CDEF-GHJK"


@pytest.mark.parametrize("typed", ["", "0123", "0123-4567-89AB-CDEF-GHJU", "0123-4567-89AB-CDEF-GHJK-0"])
def test_what_cannot_be_a_receipt_is_none(typed: str):
    assert read_receipt(typed) is None
