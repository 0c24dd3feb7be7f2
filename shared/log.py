"""Log lines as JSON on standard error, with the message at hand bound to each line."""

import contextlib
import logging
import sys

import structlog


def configure(level: str, service: str) -> None:
    """Set up logging for this process; call once, from a composition root."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
            _print,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.ReturnLoggerFactory(),
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it logs every lost connection with a trace; we log it once
    logging.getLogger("aio_pika").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request


def _print(_logger: object, _method: str, line: object) -> str:
    """Where a full disk has no room for lines, the work goes on without them."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
    return ""
