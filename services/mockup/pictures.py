"""Pixels into pixels: uploaded photographs and watermarks through Pillow, our own print files through a fast codec."""

import io
import struct

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, UnidentifiedImageError

from services.decoding.plain_png import PLAIN, plain_png
from services.decoding.png_colours import profile_of
from services.decoding.png_transparency import key_in_8_bits
from services.decoding.unreadable import UNREADABLE
from services.mockup.faults import NotRenderable
from services.mockup.light import Pixels

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_PHOTO_PIXELS = 60_000_000  # a 60 MP camera; Pillow takes up to 9 bytes of memory for each
MAX_DESIGN_PIXELS = 250_000_000  # 1 GB decoded; a gang sheet of 22 x 60 inches at 400 dpi has 211 million
JPEG_QUALITIES = (92, 88)  # with full-resolution colour; 95 is a third larger and looks the same on a product page
ENOUGH_BYTES = 3_000_000  # above it the second is tried; a picture of 2000 x 1500 has a third of that
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
PNG_START = b"\x89PNG\r\n\x1a\n"


def photograph(data: bytes) -> tuple[Pixels, tuple[str, ...]]:
    """A photograph, upright and in sRGB, (H, W, 3), and warnings. Its transparent parts become white.

    Raises:
        NotRenderable: damaged, too large, or of another format.
    """
    picture, warnings = _opened(data)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    return np.array(picture, np.uint8), warnings


def layer(data: bytes) -> Pixels:
    """A watermark or another picture to be laid over a photograph, upright and in sRGB, (H, W, 4) with straight alpha.

    Raises:
        NotRenderable: as above.
    """
    picture, _ = _opened(data)
    return np.array(picture.convert("RGBA"), np.uint8)


def design(data: bytes) -> Pixels:
    """A print file (PNG), (H, W, 4) with straight alpha; opaque if it has no alpha.

    Raises:
        NotRenderable: no PNG, damaged or too large.
    """
    if not data.startswith(PNG_START) or len(data) < 33:
        raise NotRenderable("it is not a PNG; upload the design again")
    width, height = struct.unpack(">II", data[16:24])
    if width * height > MAX_DESIGN_PIXELS:
        raise NotRenderable(f"{width} x {height} pixels are more than {MAX_DESIGN_PIXELS // 1_000_000} million")
    try:
        if PLAIN.get(data[24:26]) == "rgba":  # as all our own are; of the others one colour may stand for transparency
            return plain_png(data, width, height)
        decoded = imagecodecs.png_decode(data)
    except UNREADABLE as error:
        raise NotRenderable("the PNG is damaged; upload the design again") from error
    return _rgba(decoded)


def jpeg(picture: Pixels, comment: bytes = b"") -> bytes:
    """Encode (H, W, 3) sRGB, 4:4:4, with no metadata but a comment: a JPEG without a profile is read as sRGB.

    A picture of much grain is made a little smaller, as far as nobody sees it.
    """
    image = Image.fromarray(picture)
    for quality in JPEG_QUALITIES:
        target = io.BytesIO()
        image.save(target, "JPEG", quality=quality, subsampling="4:4:4", comment=comment)
        if target.tell() <= ENOUGH_BYTES:
            break
    return target.getvalue()


def _opened(data: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """Decode to RGB, or RGBA where parts are transparent."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise NotRenderable("it is not a picture; upload it as PNG, JPEG or WEBP") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except UNREADABLE as error:
        raise _damaged() from error
    if image.width * image.height > MAX_PHOTO_PIXELS:  # by the header, before anything is decoded
        raise _too_large()
    try:
        image.load()
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
        picture, warnings = _in_srgb(image, data)
    except UNREADABLE as error:
        raise _damaged() from error
    # Masks are drawn in a browser, which shows the photograph turned.
    turn = UPRIGHT.get(orientation)
    return (picture if turn is None else picture.transpose(turn)), warnings


def _too_large() -> NotRenderable:
    return NotRenderable(f"it has more than {MAX_PHOTO_PIXELS // 1_000_000} million pixels; make it smaller")


def _damaged() -> NotRenderable:
    return NotRenderable("the file is damaged or incomplete; export it again")


def _in_srgb(image: Image.Image, data: bytes) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert by the colour profile, or what stands for one; the alpha stays as it is."""
    profile, doubt = profile_of(image, data)
    for_colours = profile != image.info.get("icc_profile")  # one that was made, which grey must be made RGB for
    if image.format == "PNG":
        key_in_8_bits(image, bits=data[24])
    if image.mode.startswith("I"):
        image = _grey_in_8_bits(image)
    alpha = None
    if image.has_transparency_data:
        with_alpha = image.convert("RGBA")  # also a palette's, or one colour that counts as transparent
        alpha = with_alpha.getchannel("A")
        image = with_alpha if image.mode != "LA" else image.getchannel("L")
    plain = image.mode if image.mode in {"L", "CMYK"} and not for_colours else "RGB"
    picture, warnings = _by_profile(image.convert(plain), profile)
    if alpha is not None:
        picture.putalpha(alpha)
    return picture, (*warnings, doubt) if doubt else warnings


def _grey_in_8_bits(image: Image.Image) -> Image.Image:
    """16-bit grey, which Pillow would clip at 255; with alpha, if one of its levels stands for transparency."""
    levels, key = np.asarray(image).astype(np.uint32), image.info.get("transparency")
    grey = Image.fromarray((levels >> 8).astype(np.uint8))
    if key is None:
        return grey
    return Image.merge("LA", (grey, Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8))))


def _by_profile(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    if not profile:
        doubt = ("CMYK without a colour profile, its colours are a guess; export it as sRGB",)
        return image.convert("RGB"), doubt if image.mode == "CMYK" else ()
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ImageCms.PyCMSError):
        return image.convert("RGB"), ("its colour profile can't be used and was ignored; export it as sRGB",)
    return converted or image.convert("RGB"), ()


def _rgba(decoded: npt.NDArray[np.uint8 | np.uint16]) -> Pixels:
    picture = np.asarray(decoded // 257 if decoded.dtype == np.uint16 else decoded, np.uint8)
    if picture.ndim == 2:
        picture = picture[..., None]
    channels = picture.shape[2]
    colours = picture[..., :3] if channels >= 3 else np.repeat(picture[..., :1], 3, axis=2)
    if channels == 4:
        return picture
    alpha = picture[..., 1:] if channels == 2 else np.full_like(picture[..., :1], 255)
    return np.concatenate([colours, alpha], axis=2)
