"""A framed poster over a sideboard, seen from the left: one true perspective for wall, frame and furniture.

Lengths are centimetres; the wall is the plane z = 0 and the frame's middle is its origin.
"""

import numpy as np
import numpy.typing as npt

from services.demo.scenes.paint import (
    Camera,
    Field,
    Points,
    blurred,
    curve,
    fill,
    filled,
    finished,
    lay,
    moved,
    noise,
    planks,
    shade,
    smooth,
    tinted,
    wood,
)

SIZE = (2400, 1920)
CAMERA = Camera(eye=(-84, 2, 212), target=(5, -6.5, 0), focal=3450, size=SIZE)
PAPER = (44.0, 55.0)
KRAFT = (0.70, 0.585, 0.455)  # white paint shows on it as ink does
MAT, MOULDING, DEPTH = 6.5, 2.2, 3.0
TEXTURE = 22  # pixels per centimetre of the frame's picture
BOARD_TOP, BOARD_DEPTH = -50.0, 38.0


def draw(seed: int) -> tuple[npt.NDArray[np.uint8], tuple[tuple[float, float], ...]]:
    """The photograph, (h, w, 3) sRGB, and the paper's corners in its pixels."""
    rng = np.random.default_rng(seed)
    picture = _wall(rng)
    _hang_frame(rng, picture)
    _put_sideboard(rng, picture)
    _put_vase(picture)
    return finished(picture, rng), tuple((float(x), float(y)) for x, y in CAMERA.project(_rectangle(*PAPER, DEPTH)))


def _rectangle(width: float, height: float, z: float) -> list[tuple[float, float, float]]:
    x, y = width / 2, height / 2
    return [(-x, y, z), (x, y, z), (x, -y, z), (-x, -y, z)]


def _outer() -> tuple[float, float]:
    return PAPER[0] + 2 * (MAT + MOULDING), PAPER[1] + 2 * (MAT + MOULDING)


def _wall(rng: np.random.Generator) -> Field:
    """Plaster, with the sun through a window and the leaves before it."""
    scale = 2  # pixels per centimetre; the light is soft
    width, height = 320 * scale, 230 * scale
    light = np.zeros((height, width), np.float32)
    for column in range(2):
        for row in range(3):
            x, y = (58 + column * 62) * scale, (14 + row * 50) * scale
            pane = np.array([[x, y], [x + 56 * scale, y], [x + 56 * scale, y + 45 * scale], [x, y + 45 * scale]])
            pane = pane.astype(np.float64)
            pane[:, 0] += (pane[:, 1] - height / 2) * 0.42  # the sun stands to the left
            light = np.maximum(light, filled((width, height), pane))
    for _ in range(46):
        at = rng.uniform((40, 0), (250, 170)) * scale
        light *= 1 - 0.75 * filled((width, height), at + _leaf(rng.uniform(18, 34) * scale, rng.uniform(0.5, 1.3)))
    light = blurred(light, 2.4 * scale)
    corners = CAMERA.project([(-150, 115, 0), (170, 115, 0), (170, -115, 0), (-150, -115, 0)])
    seen = np.zeros((SIZE[1], SIZE[0], 1), np.float32)
    lay(seen, light[..., None], corners)
    seen = seen[..., 0]
    plaster = noise(rng, SIZE, (5, 5)) * 0.006 + noise(rng, SIZE, (90, 70)) * 0.008
    fading = np.linspace(0, 0.06, SIZE[0], dtype=np.float32)
    tone = (0.80 - fading + plaster) * (1 + 0.135 * seen)
    return tinted(tone, (1.0, 0.972, 0.93)) + tinted(seen, (0.02, 0.016, 0.006))  # and the sun is warm


def _leaf(length: float, angle: float) -> Points:
    """A lance-shaped outline with its stem at the origin, pointing `angle` radians down from the right."""
    along = np.linspace(0, 1, 16)
    across = 0.16 * np.sin(np.pi * along**0.8) * (1 - 0.3 * along)
    outline = np.concatenate([np.stack([along, across], 1), np.stack([along, -across], 1)[::-1]]) * length
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(outline @ turn)


def _hang_frame(rng: np.random.Generator, picture: Field) -> None:
    width, height = _outer()
    around = np.array(_rectangle(width, height, 0))
    shade(picture, CAMERA.project(moved(around, 4.2, -3.4, 0)), 26, 0.34)
    shade(picture, CAMERA.project(moved(around, 0.8, -0.8, 0)), 7, 0.42)
    x, y = -width / 2, height / 2
    fill(picture, CAMERA.project([(x, y, 0), (x, y, DEPTH), (x, -y, DEPTH), (x, -y, 0)]), (0.20, 0.135, 0.085))
    lay(picture, _face(rng), CAMERA.project(_rectangle(width, height, DEPTH)))


def _face(rng: np.random.Generator) -> Field:
    """Moulding, mat and paper, flat."""
    width, height = (round(side * TEXTURE) for side in _outer())
    face = np.full((height, width, 3), np.array([0.955, 0.95, 0.935], np.float32))
    moulding, paper = round(MOULDING * TEXTURE), round((MOULDING + MAT) * TEXTURE)
    # The moulding throws a shadow onto the mat, from the light's side.
    inside = np.zeros((height, width), np.float32)
    inside[moulding + 20 : height - moulding + 14, moulding + 20 : width - moulding + 14] = 1
    face *= (0.80 + 0.20 * blurred(inside, 9))[..., None]
    bevel = 7
    face[paper - bevel : height - paper + bevel, paper - bevel : width - paper + bevel] = (0.99, 0.985, 0.97)
    face[paper - bevel : paper, paper - bevel : width - paper + bevel] *= 0.86
    face[paper - bevel : height - paper + bevel, paper - bevel : paper] *= 0.91
    face[paper : height - paper, paper : width - paper] = KRAFT
    stained = wood(planks(rng, (max(width, height), moulding), 1), (0.36, 0.25, 0.165))
    rounding = 0.86 + 0.3 * np.sin(np.linspace(0.25, 2.9, moulding, dtype=np.float32))[:, None, None]
    strip = stained * rounding
    for turns, level in ((0, 1.12), (1, 0.80), (2, 0.88), (3, 1.0)):  # from the top, each next side to the left
        side = np.rot90(face, turns)
        reach = side.shape[1]
        across = np.arange(reach)[None, :]
        corner = np.minimum(across, reach - 1 - across) >= np.arange(moulding)[:, None]  # mitred
        side[:moulding] = np.where(corner[..., None], strip[:, :reach] * level, side[:moulding])
    return face


def _put_sideboard(rng: np.random.Generator, picture: Field) -> None:
    """An oak top along the wall, and the front below it."""
    y, z = BOARD_TOP, BOARD_DEPTH
    west, east = -130, 160
    shade(picture, CAMERA.project([(west, y + 3, 0), (east, y + 3, 0), (east, y - 9, 0), (west, y - 9, 0)]), 16, 0.22)
    boards = wood(planks(rng, (1800, 300), 3), (0.74, 0.60, 0.45))
    boards *= smooth(-40, 65, np.arange(300, dtype=np.float32))[:, None, None] * 0.25 + 0.75
    lay(picture, boards, CAMERA.project([(west, y, 0), (east, y, 0), (east, y, z), (west, y, z)]))
    panel = wood(planks(rng, (1800, 300), 1), (0.58, 0.455, 0.325))
    panel *= (1 - 0.2 * np.linspace(0, 1, 300, dtype=np.float32))[:, None, None]
    lay(picture, panel, CAMERA.project([(west, y, z), (east, y, z), (east, y - 50, z), (west, y - 50, z)]))
    edge = CAMERA.project([(west, y, z), (east, y, z), (east, y - 0.5, z), (west, y - 0.5, z)])
    fill(picture, edge, (0.86, 0.73, 0.58), opacity=0.7)


def _put_vase(picture: Field) -> None:
    """A stoneware vase, turned on a wheel: its shade depends on the way round only."""
    foot, head = CAMERA.project([(50, BOARD_TOP, 17), (50, BOARD_TOP + 25, 17)])
    tall = foot[1] - head[1]
    share = np.linspace(0, 1, 60)
    radius = np.interp(share, [0, 0.06, 0.3, 0.55, 0.8, 0.93, 1], [0.17, 0.225, 0.31, 0.325, 0.19, 0.125, 0.14]) * tall
    radius = np.convolve(np.pad(radius, 3, mode="edge"), np.ones(7) / 7, "valid")
    rows = foot[1] - share * tall
    turn = np.linspace(0, np.pi, 20)
    base = foot + radius[0] * np.stack([np.cos(turn), 0.22 * np.sin(turn)], 1)
    sides = (np.stack([foot[0] + way * radius, rows], 1) for way in (1, -1))
    east, west = sides
    outline = np.concatenate([base, west, east[::-1]])
    shade(picture, outline * (1, 0.16) + (radius.max() * 0.9, foot[1] * 0.84), 16, 0.5)
    shade(picture, moved(base, 8, 6), 6, 0.5)
    _put_twigs(picture, float(foot[0]), float(head[1]), float(tall))
    y, x = np.ogrid[0 : SIZE[1], 0 : SIZE[0]]
    wide = np.interp(y, rows[::-1], radius[::-1])
    around = np.clip((x - foot[0]) / wide, -1, 1).astype(np.float32)
    light = 0.40 + 0.56 * np.clip(0.62 * np.sqrt(1 - around**2) - 0.60 * around, 0, None) + 0.05 * np.clip(around, 0, 1)
    fill(picture, outline, tinted(light, (0.93, 0.90, 0.86)))
    mouth = np.linspace(0, 2 * np.pi, 40)
    rim = np.stack([foot[0] + radius[-1] * np.cos(mouth), head[1] + 0.16 * radius[-1] * np.sin(mouth)], 1)
    fill(picture, rim, (0.27, 0.25, 0.23))


def _put_twigs(picture: Field, x: float, y: float, tall: float) -> None:
    """Olive twigs: a bent stem each, with leaves in pairs that get smaller towards the tip."""
    for lean, reach, green in ((-0.42, 1.15, 0.0), (0.1, 1.45, 0.04), (0.50, 1.05, -0.03)):
        tip = (x + lean * tall, y - reach * tall)
        stem = curve([(x, y + 0.1 * tall), (x + 0.3 * lean * tall, y - 0.5 * reach * tall), tip], 14)
        thick = np.linspace(5, 2, len(stem))[:, None] * (1, 0)
        fill(picture, np.concatenate([stem + thick, (stem - thick)[::-1]]), (0.36, 0.32, 0.25))
        for place in range(6, len(stem), 3):
            size = tall * (0.30 - 0.13 * place / len(stem))
            up = float(np.arctan2(*(stem[place] - stem[place - 1])[::-1]))
            for turn, tone in ((-0.85, 0.07), (0.85, -0.04)):
                light = 0.43 + green + tone
                leaf = _leaf(size, up + turn)
                fill(picture, stem[place] + leaf, (light, light + 0.035, light - 0.05))
                fill(
                    picture, moved(stem[place] + leaf * 0.97, 0, size * 0.02), (light + 0.04, light + 0.07, light), 0.55
                )
