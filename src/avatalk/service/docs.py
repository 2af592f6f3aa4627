"""The description of the API as a page, /docs, with nothing from other hosts."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from avatalk.service.answers import described


def describe(app: FastAPI) -> None:
    """Complete the description: what any request may be answered, and no 422, which none is."""
    made = app.openapi

    def complete() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        document = made()
        if fresh:
            for path, methods in document["paths"].items():
                for operation in methods.values():
                    _complete(operation, path)
            for name in ("HTTPValidationError", "ValidationError"):
                document["components"]["schemas"].pop(name, None)
        return document

    app.openapi = complete  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], path: str) -> None:
    answers = operation["responses"]
    besides = [403, 503]
    if answers.pop("422", None) is not None:
        besides.append(400)
    if "requestBody" in operation:
        besides += [400, 408, 413]
    if path == "/healthz":  # asked by whoever wants to know whether the process lives: it is let in anyhow
        besides = [503]
    for status in besides:
        answers.setdefault(str(status), described(status))


def add_docs(app: FastAPI) -> None:
    """Serve Swagger UI with the files of a package; FastAPI's own page loads them from elsewhere."""
    # Relative, so that it works under any name and behind any proxy.
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="avatalk: the API",
        swagger_js_url="docs/files/swagger-ui-bundle.js",
        swagger_css_url="docs/files/swagger-ui.css",
        swagger_favicon_url="docs/files/favicon-32x32.png",
        swagger_ui_parameters={"filter": True, "validatorUrl": None},
    )
    app.mount("/docs/files", StaticFiles(packages=[("fastapi_swagger", "resources")]))

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page
