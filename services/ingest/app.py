"""The HTTP application. Nothing happens on import; `create_app` puts it together."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline

from services.ingest.api import (
    accounts,
    cancelling,
    dashboard,
    designs,
    duplicates,
    etsy,
    files,
    health,
    masks,
    metrics,
    mockup_groups,
    mockup_images,
    mockup_templates,
    ops,
    ops_orders,
    ops_scans,
    ops_uploads,
    print_sizes,
    retrying,
    reviewing,
    sessions,
    shop,
    templates,
    uploads,
)
from services.ingest.api.bodies import Bodies
from services.ingest.api.errors import add_handlers
from services.ingest.api.nas_reading import NasReading
from services.ingest.api.resources import Resources
from services.ingest.api.turns import Turns
from services.ingest.sessions.serving.upload_calls import Desk

CATALOG = (accounts, dashboard, designs, duplicates, etsy, files, masks, print_sizes, shop, templates)
MOCKUPS = (mockup_groups, mockup_images, mockup_templates)
OPERATION = (health, metrics, ops, ops_orders, ops_scans, ops_uploads)
UPLOADS = (uploads, sessions, cancelling, retrying, reviewing)
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(resources: Resources, desk: Desk | None = None, lifespan: Lifespan | None = None) -> FastAPI:
    """All calls; those of uploads need the desk. `lifespan` wraps the time in which the app serves."""
    # A redirect to the path with or without its slash loses the upload behind some proxies: paths are literal.
    app = FastAPIOffline(title="Presswork", redirect_slashes=False, lifespan=lifespan)
    app.openapi = partial(_description, app)  # type: ignore[method-assign] # as FastAPI has it done
    app.state.resources, app.state.desk = resources, desk
    app.state.turns, app.state.nas_reading = Turns(), NasReading()
    for module in (*CATALOG, *MOCKUPS, *OPERATION, *UPLOADS):
        app.include_router(module.routes)
    app.add_api_route("/", _documentation, include_in_schema=False)
    app.add_middleware(Bodies)
    add_handlers(app)
    # Added last, so outermost: every answer passes through it, the 500 of `Unhandled` as well.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=resources.settings.allowed_origins,
        allow_credentials=True,
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=["*"],
        max_age=600,
    )
    return app


def _description(app: FastAPI) -> dict[str, Any]:
    """What `/docs` shows; made once. Each call is headed by its docstring's first paragraph: its name is for us."""
    if app.openapi_schema is None:
        for calls in FastAPI.openapi(app)["paths"].values():
            for call in calls.values():
                head, _, rest = call.pop("description", call["summary"]).partition("\n\n")
                call["summary"] = head.replace("\n", " ").removesuffix(".")
                if rest:
                    call["description"] = rest
    return FastAPI.openapi(app)


def _documentation() -> RedirectResponse:
    """Where a person is led who opens the address that `presswork up` prints."""
    return RedirectResponse("/docs")
