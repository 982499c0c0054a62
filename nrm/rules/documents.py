"""Which files are taken as documents, told by their content, and how images are cleaned of what they give away."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from nrm.errors import NotValid, Problem
from nrm.rules.texts import WrongValue, clean_text

LARGEST: Final = 10_000_000
"""Most bytes of a file."""

MOST_PER_CASE: Final = 20
"""Most documents of one case."""

MOST_PIXELS: Final = 40_000_000
"""Most pixels of an image: what a small file can unfold to in memory."""

LONGEST_NAME: Final = 120
_QUALITY: Final = 88

Image.MAX_IMAGE_PIXELS = None
"""The limit is `MOST_PIXELS`, looked at before anything is unfolded; the library's own would only warn."""

_PDF: Final = "application/pdf"
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG"}
_SIGNS: Final = ((b"%PDF-", _PDF), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""First bytes of a file → what it is; the sender's word for it does not count."""

MEDIA: Final = tuple(media for _, media in _SIGNS)
"""The media types that are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file as it is kept.

    Attributes:
        content: the bytes; an image's are made anew.
        media_type: one of `MEDIA`.
    """

    content: bytes
    media_type: str


def check_file(content: bytes) -> CheckedFile:
    """Take a file that somebody sent, or say why not.

    A PDF is kept as it is: it is only ever given out to be saved. An image is drawn anew, upright, without the place,
    the device and the time that cameras write into it: where a returnee lives is nobody's to learn from a photo.

    Args:
        content: all bytes of the file.

    Raises:
        NotValid: it is empty, too large, of another kind, damaged, or unfolds to too large an image.
    """
    if not content:
        raise _wrong("empty_file")
    if len(content) > LARGEST:
        raise _wrong("file_too_large", most=LARGEST // 1_000_000)
    media = next((media for sign, media in _SIGNS if content.startswith(sign)), None)
    if media is None:
        raise _wrong("file_kind_not_taken")
    if media == _PDF:
        return CheckedFile(content=content, media_type=media)
    return CheckedFile(content=_drawn_anew(content, _FORMATS[media]), media_type=media)


def _drawn_anew(content: bytes, kind: str) -> bytes:
    try:
        with Image.open(BytesIO(content), formats=(kind,)) as image:
            # Only the header has been read until here.
            if image.width * image.height > MOST_PIXELS:
                raise _wrong("image_too_large", most=MOST_PIXELS // 1_000_000)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _written(image, kind)
    except (OSError, SyntaxError, ValueError, OverflowError):
        # What the library says of a damaged file, in all its ways; "not an image" is an OSError.
        raise _wrong("image_damaged") from None


def _written(image: Image.Image, kind: str) -> bytes:
    # Whatever stands in `info` would be written again: profile, comment, texts. What is see-through belongs to it.
    image.info = {name: value for name, value in image.info.items() if name == "transparency"}
    made = BytesIO()
    if kind == "JPEG":
        plain = image if image.mode in {"L", "RGB"} else image.convert("RGB")
        plain.save(made, kind, quality=_QUALITY)
    else:
        image.save(made, kind)
    return made.getvalue()


def clean_name(text: str) -> str:
    """Give a file's name without the folders it came from, fit to be shown and saved under.

    Raises:
        NotValid: nothing is left, or it holds what cannot be stored.
    """
    last = text.replace("\\", "/").rpartition("/")[2]
    try:
        name = clean_text(last, longest=LONGEST_NAME).strip(". ")
    except WrongValue as error:
        raise NotValid([Problem(pointer="/name", code=error.code, params=error.params)]) from error
    if not name:
        raise NotValid([Problem(pointer="/name", code="required")])
    return name


def _wrong(code: str, **params: int) -> NotValid:
    return NotValid([Problem(pointer="", code=code, params=dict(params))])
