"""Before a service consumes: is its topology as safe as the code expects? Given to the bus by the command."""

import logging
from dataclasses import replace

import structlog

from services.ops.management import OFF
from services.ops.queues import topology
from services.ops.survey import Survey, Verdict, survey
from shared.bus import run
from shared.bus.rabbit import BROKER_ERRORS
from shared.bus.service import Service
from shared.errors import Unavailable
from shared.settings import BusSettings

log = structlog.get_logger()


def inspection(settings: BusSettings) -> run.Inspect:
    """The inspection of this broker, for a service that begins to consume; its log is free of noise then."""
    leave_out_noise()

    async def inspect(service: Service) -> None:
        found = await survey(settings.amqp_url, settings.management_url, topology([service]), ours=False)
        judge(found if settings.management_url != OFF else replace(found, unchecked=""))

    return inspect


def leave_out_noise() -> None:
    """Keep out of the log that aio-pika can't clean up over a lost connection; the bus says that the broker is away."""
    logging.getLogger("aio_pika.tools").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """What else goes wrong in a callback, of ours say, is news."""
    cause = record.args[-1] if isinstance(record.args, tuple) and record.args else None
    return not isinstance(cause, BROKER_ERRORS)


def judge(found: Survey) -> None:
    """Refuse what is unsafe; say what could not be looked at.

    Raises:
        Unsafe: something is there that loses messages; with what is expected, what is found and what to do.
        Unavailable: something is not there yet.
    """
    if unsafe := found.of(Verdict.UNSAFE):
        words = "".join(f"\n- {finding}\n  {finding.by_hand}" for finding in unsafe)
        raise run.Unsafe(f"messages could be lost, so nothing is consumed (see `presswork topology check`):{words}")
    if missing := found.of(Verdict.MISSING):
        raise Unavailable(f"not there yet: {missing[0]}; run presswork init (`presswork up` does so by itself)")
    unknown = [str(finding) for finding in found.of(Verdict.UNKNOWN)]
    if found.unchecked or unknown:
        log.warning("policies could not be checked", cause=found.unchecked or unknown[0])
