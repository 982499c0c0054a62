"""Files as people send them: photos with the place in them, papers, and what is no document at all."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from nrm.errors import NotValid
from nrm.rules.documents import LARGEST, MOST_PIXELS, check_file, clean_name

GPS = 0x8825
ORIENTATION = 0x0112


def photo(kind: str = "JPEG", size: tuple[int, int] = (40, 20), *, turned: bool = False, **how) -> bytes:
    image = Image.new("RGB", size, "red")
    exif = Image.Exif()
    exif.get_ifd(GPS)[1] = "N"
    exif[0x010F] = "CANARY-CAMERA"
    if turned:
        exif[ORIENTATION] = 6
    made = BytesIO()
    image.save(made, kind, exif=exif, **how)
    return made.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(NotValid) as refused:
        check_file(content)
    return refused.value.problems[0].code


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_loses_the_place_and_the_camera_and_stays_a_photo(kind: str) -> None:
    sent = photo(kind, comment=b"CANARY-COMMENT") if kind == "JPEG" else photo(kind)
    assert b"CANARY" in sent
    kept = check_file(sent)
    assert b"CANARY" not in kept.content
    with Image.open(BytesIO(kept.content)) as image:
        assert not image.getexif()
        assert image.size == (40, 20)
        assert image.format == kind


def test_a_photo_taken_sideways_stands_upright() -> None:
    with Image.open(BytesIO(check_file(photo(turned=True)).content)) as image:
        assert image.size == (20, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_drawings_of_every_kind_are_taken(mode: str) -> None:
    made = BytesIO()
    Image.new(mode, (5, 5)).save(made, "PNG")
    with Image.open(BytesIO(check_file(made.getvalue()).content)) as image:
        assert image.size == (5, 5)


def test_a_scan_in_printers_colours_is_taken() -> None:
    made = BytesIO()
    Image.new("CMYK", (5, 5)).save(made, "JPEG")
    with Image.open(BytesIO(check_file(made.getvalue()).content)) as image:
        assert image.mode == "RGB"


def test_a_pdf_is_kept_as_it_is() -> None:
    assert check_file(b"%PDF-1.7\nanything").media_type == "application/pdf"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"<html>", "file_kind_not_taken"),
        (b"MZ\x90\x00", "file_kind_not_taken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file_kind_not_taken"),
        (b" %PDF-1.7", "file_kind_not_taken"),
        (b"GIF89a", "file_kind_not_taken"),
        (b"%PDF-" + b"0" * LARGEST, "file_too_large"),
        (b"\xff\xd8\xff", "image_damaged"),
        (photo()[:-30], "image_damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "image_damaged"),
    ],
)
def test_what_is_no_document_is_refused_by_name(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_small_file_that_unfolds_to_a_huge_image_is_refused_unread() -> None:
    made = BytesIO()
    Image.new("1", (MOST_PIXELS // 1_000 + 1, 1_000)).save(made, "PNG")
    assert len(made.getvalue()) < 100_000
    assert refusal(made.getvalue()) == "image_too_large"


def test_a_name_keeps_nothing_of_the_senders_folders() -> None:
    assert clean_name("C:\\Users\\someone\\Scan 1.pdf") == "Scan 1.pdf"
    assert clean_name("../../etc/وثيقة.pdf") == "وثيقة.pdf"
    for nothing in ("", "/", "..", "a\x00b"):
        with pytest.raises(NotValid):
            clean_name(nothing)
