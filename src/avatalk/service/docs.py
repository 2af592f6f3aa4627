"""The description of the API as a page, /docs, with nothing from other hosts."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles


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
