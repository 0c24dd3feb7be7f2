"""A mug in a sage glaze on an oak table: traced ray by ray along its distance field; the table is a texture."""

import cv2
import numpy as np
import numpy.typing as npt

from services.demo.scenes.paint import Camera, Field, Points, blurred, finished, noise, over, planks, smooth, wood

SIZE = (2400, 1920)
CAMERA = Camera(eye=(-1.1, 3.35, 12.5), target=(0.22, 1.02, 0), focal=5000, size=SIZE)
BOX = (600, 300, 1980, 1620)  # where the mug is in the picture
HALF, RADIUS, WALL = np.float32(2.35 / 2), np.float32(1.0), np.float32(0.075)  # half its height
TOUCH = 0.0015
KEY = np.array([-0.66, 0.50, 0.50], np.float32)  # towards the window, left and in front
KEY /= np.linalg.norm(KEY)
PRINT_HALF_ANGLE = 0.64  # radians round the mug, where a flat print still looks wrapped
PRINT_LOW, PRINT_HIGH = 0.5, 1.85
WRAP_HALF_ANGLE, WRAP_LOW, WRAP_HIGH = 0.98, 0.40, 1.92  # a print that really goes round
GLAZE = np.array([0.56, 0.64, 0.60], np.float32)  # white and black art show on it
TABLE_DEPTH = 7.0  # from the mug to the table's far edge


def draw(seed: int) -> tuple[npt.NDArray[np.uint8], tuple[tuple[float, float], ...]]:
    """The photograph, (h, w, 3) sRGB, and the print area's corners in its pixels."""
    rng = np.random.default_rng(seed)
    picture = over(_wall(rng), _table(rng), _table_mask())
    picture *= _shadow()[..., None]
    mug, cover = _mug()
    left, top, right, bottom = BOX
    part = picture[top:bottom, left:right]
    part += (mug - part) * cover[..., None]
    return finished(picture, rng), tuple((float(x), float(y)) for x, y in _print_area())


def _print_area() -> Points:
    """Corners on the side that faces the camera."""
    facing = np.arctan2(CAMERA.eye[0], CAMERA.eye[2])
    around = (facing - PRINT_HALF_ANGLE, facing + PRINT_HALF_ANGLE)
    west, east = ((np.sin(angle) * RADIUS, np.cos(angle) * RADIUS) for angle in around)
    low, high = PRINT_LOW, PRINT_HIGH
    return CAMERA.project(
        [(west[0], high, west[1]), (east[0], high, east[1]), (east[0], low, east[1]), (west[0], low, west[1])]
    )


def wrap() -> dict[str, object]:
    """The print that goes round, as a mockup template has it: corners, and the middles of its edges."""
    facing = np.arctan2(CAMERA.eye[0], CAMERA.eye[2])

    def seen(turn: float, height: float) -> list[float]:
        angle = facing + turn
        point = CAMERA.project([(float(np.sin(angle) * RADIUS), height, float(np.cos(angle) * RADIUS))])[0]
        return [round(float(value), 2) for value in point]

    half, low, high = WRAP_HALF_ANGLE, WRAP_LOW, WRAP_HIGH
    return {
        "kind": "cylinder",
        "corners": [seen(-half, high), seen(half, high), seen(half, low), seen(-half, low)],
        "top": seen(0, high),
        "bottom": seen(0, low),
        "angle": round(float(np.degrees(2 * half)), 2),
    }


def _distance(p: Field) -> Field:
    """From points (n, 3) to the mug's surface; negative inside the ceramic. Rounded unions as Inigo Quilez has them."""
    x, y, z = p[:, 0], p[:, 1], p[:, 2]
    r = np.sqrt(x * x + z * z)
    foot = np.float32(0.05) * smooth(0.25, 0.0, y)  # the body tapers a little above the table
    outer = _rounded(r - (RADIUS - foot), np.abs(y - HALF) - HALF, 0.045)
    inner = _rounded(r - (RADIUS - WALL), 0.16 - y, 0.12)
    body = _smooth_max(outer, -inner, 0.03)
    turned = x * np.float32(0.97) + z * np.float32(0.24), z * np.float32(0.97) - x * np.float32(0.24)
    across = turned[0] - np.float32(0.98)
    along = np.maximum(np.abs(y - np.float32(1.2)) - np.float32(0.24), 0)
    ring = np.sqrt(across * across * np.float32(1.0) + along * along) - np.float32(0.5)
    handle = np.sqrt(ring * ring * np.float32(1.35) + turned[1] ** 2 * np.float32(0.55)) - np.float32(0.115)
    handle = np.maximum(handle * np.float32(0.8), RADIUS - WALL / 2 - r)
    near = np.clip(0.5 + (handle - body) / np.float32(0.22), 0, 1)
    return np.asarray(handle + (body - handle) * near - np.float32(0.11) * near * (1 - near), np.float32)


def _rounded(a: Field, b: Field, radius: float) -> Field:
    a, b = a + np.float32(radius), b + np.float32(radius)
    outside = np.sqrt(np.maximum(a, 0) ** 2 + np.maximum(b, 0) ** 2)
    return np.asarray(np.minimum(np.maximum(a, b), 0) + outside - radius, np.float32)


def _smooth_max(a: Field, b: Field, k: float) -> Field:
    share = np.clip(0.5 + 0.5 * (a - b) / k, 0, 1)
    return np.asarray(b + (a - b) * share + k * share * (1 - share), np.float32)


def _traced(start: Field, rays: Field, steps: int, far: float) -> tuple[Field, Field]:
    """How far along its way each ray comes nearest to the mug, and how near, 0 where it hits."""
    way, nearest_at = np.zeros(len(rays), np.float32), np.zeros(len(rays), np.float32)
    nearest = np.full(len(rays), np.inf, np.float32)
    live = np.arange(len(rays))
    for _ in range(steps):
        d = _distance(start[live] + rays[live] * way[live, None])
        closer = live[d < nearest[live]]
        nearest[live] = np.minimum(nearest[live], d)
        nearest_at[closer] = way[closer]
        way[live] += np.maximum(d, TOUCH)
        live = live[(d > TOUCH) & (way[live] < far)]
        if not len(live):
            break
    return nearest_at, np.maximum(nearest - TOUCH, 0)


def _mug() -> tuple[Field, Field]:
    """Colour and coverage of the box, traced at half size."""
    rays = CAMERA.rays(2, BOX)
    shape = rays.shape[:2]
    flat = rays.reshape(-1, 3)
    eye = np.array(CAMERA.eye, np.float32)
    start = eye + flat * np.float32(9.5)  # nothing is nearer to the camera
    way, nearest = _traced(start, flat, 70, 7.0)
    pixel = 2 * 13.0 / CAMERA.focal  # of the traced picture, in scene units, at the mug's distance
    cover = np.asarray(np.clip(1 - nearest / pixel, 0, 1), np.float32)
    near = np.flatnonzero(nearest < 4 * pixel)  # a rim more, for the enlarging below to mix the edge with
    colour = np.zeros_like(flat)
    colour[near] = _ceramic(start[near] + flat[near] * way[near, None], flat[near])
    soft = cv2.GaussianBlur(colour.reshape(*shape, 3), (0, 0), 0.75)
    size = (BOX[2] - BOX[0], BOX[3] - BOX[1])
    enlarged = [cv2.resize(field, size, interpolation=cv2.INTER_CUBIC) for field in (soft, cover.reshape(shape))]
    return np.asarray(enlarged[0], np.float32), np.clip(np.asarray(enlarged[1], np.float32), 0, 1)


def _ceramic(p: Field, rays: Field) -> Field:
    """Glaze under a window on the left, a bright room and a wooden table."""
    normal = _normals(p)
    x, y, z = normal[:, 0], normal[:, 1], normal[:, 2]
    diffuse = np.clip(normal @ KEY * np.float32(0.75) + np.float32(0.25), 0, None)
    seen = np.ones(len(p), np.float32)
    for reach, weight in ((0.07, 0.16), (0.2, 0.22), (0.5, 0.26)):
        q = p + normal * np.float32(reach)
        free = np.minimum(_distance(q), q[:, 1] + 0.02)
        seen -= np.float32(weight) * np.clip(1 - free / np.float32(reach), 0, 1)
    warm = np.array([1.0, 0.80, 0.58], np.float32)
    bounce = np.clip(0.5 - 0.5 * y, 0, 1) * smooth(1.6, 0.0, p[:, 1])
    light = (0.62 * diffuse + 0.36 + 0.10 * y)[:, None] * np.array([1.0, 0.985, 0.96], np.float32)
    light += (0.10 * np.clip(x, 0, 1) * (0.5 + 0.5 * z))[:, None] * np.array([0.85, 0.93, 1.0], np.float32)
    light = light * seen[:, None] + 0.22 * (bounce * seen)[:, None] * warm
    facing = -np.einsum("ij,ij->i", normal, rays)
    mirrored = rays + 2 * facing[:, None] * normal
    azimuth = np.arctan2(mirrored[:, 0], mirrored[:, 2])
    pane = smooth(-1.42, -1.36, azimuth) * smooth(-0.92, -0.98, azimuth)
    pane *= smooth(-0.12, -0.05, mirrored[:, 1]) * smooth(0.62, 0.55, mirrored[:, 1])
    pane *= 1 - smooth(0.03, 0.015, np.abs(azimuth + 1.17))
    shine = 0.05 + 0.6 * (1 - np.clip(facing, 0, 1)) ** 5
    return np.asarray(np.clip(light, 0, 1) ** 0.72 * GLAZE + (shine * pane * 2.2 * seen)[:, None], np.float32)


def _normals(p: Field) -> Field:
    step = np.float32(0.004)
    total = np.zeros_like(p)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        direction = np.array(corner, np.float32)
        total += direction * _distance(p + direction * step)[:, None]
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), np.float32)


def _table_mask() -> Field:
    edge = CAMERA.project([(-30, 0, -TABLE_DEPTH), (30, 0, -TABLE_DEPTH)])
    y = np.arange(SIZE[1], dtype=np.float32)[:, None]
    x = np.arange(SIZE[0], dtype=np.float32)[None, :]
    slope = (edge[1, 1] - edge[0, 1]) / (edge[1, 0] - edge[0, 0])
    line = edge[0, 1] + (x - edge[0, 0]) * np.float32(slope)
    return smooth(-14, 14, y - line)  # soft: far out of focus


def _table(rng: np.random.Generator) -> Field:
    """Boards in perspective, sharp round the mug and out of focus far behind and very near."""
    texture = planks(rng, (2200, 1700), 7)
    ground = [(-6.5, 0.0, -TABLE_DEPTH), (6.5, 0.0, -TABLE_DEPTH), (6.5, 0.0, 6.5), (-6.5, 0.0, 6.5)]
    corners = np.array([[0, 0], [2200, 0], [2200, 1700], [0, 1700]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, CAMERA.project(ground).astype(np.float32))
    table = np.asarray(cv2.warpPerspective(texture, matrix, SIZE, borderMode=cv2.BORDER_REFLECT), np.float32)
    y = np.arange(SIZE[1], dtype=np.float32)[:, None]
    focus = CAMERA.project([(0, 0, 0)])[0, 1]
    away = smooth(60, 520, focus - y) + smooth(200, 700, y - focus) * 0.7
    table = table + (blurred(table, 9) - table) * np.clip(away, 0, 1)
    x = np.arange(SIZE[0], dtype=np.float32)[None, :]
    return wood(table * (1.16 - 0.26 * x / SIZE[0]), (0.72, 0.575, 0.43))


def _wall(rng: np.random.Generator) -> Field:
    """A bright room far out of focus."""
    y, x = np.mgrid[0 : SIZE[1] : 8, 0 : SIZE[0] : 8].astype(np.float32)
    light = (
        0.87 + 0.06 * smooth(1500, 0, x) - 0.14 * smooth(1000, 2400, x) + 0.015 * noise(rng, x.shape[::-1], (60, 60))
    )
    for left, width, lift in ((150, 330, 0.10), (560, 330, 0.10), (1900, 260, -0.09)):
        light += lift * smooth(left - 70, left + 70, x) * smooth(left + width + 70, left + width - 70, x)
    light *= 1 - 0.10 * smooth(300, 800, y)
    tint = np.array([1.0, 0.985, 0.955], np.float32)
    return np.asarray(cv2.resize(light[..., None] * tint, SIZE, interpolation=cv2.INTER_CUBIC), np.float32)


def _shadow() -> Field:
    """How much light reaches the table: a soft shadow away from the window and a dark line under the foot."""
    step = 8
    rays = CAMERA.rays(step, (0, 0, *SIZE))
    shape = rays.shape[:2]
    flat = rays.reshape(-1, 3)
    down = np.flatnonzero(flat[:, 1] < -0.05)
    eye = np.array(CAMERA.eye, np.float32)
    ground = eye + flat[down] * (-eye[1] / flat[down, 1])[:, None]
    towards = np.broadcast_to(KEY, ground.shape)
    way, nearest = _traced(ground + np.array([0, 0.02, 0], np.float32), towards, 26, 6.0)
    lit = smooth(0, 0.34, nearest / np.maximum(way, 0.1))  # the window's width makes the edge softer with distance
    around = np.clip(_distance(ground + np.array([0, 0.12, 0], np.float32)) / np.float32(0.75), 0, 1)
    light = np.ones(len(flat), np.float32)
    light[down] = (0.60 + 0.40 * lit) * (0.55 + 0.45 * np.sqrt(around))
    soft = cv2.GaussianBlur(light.reshape(shape), (0, 0), 1.6)
    return np.asarray(cv2.resize(soft, SIZE, interpolation=cv2.INTER_CUBIC), np.float32)
