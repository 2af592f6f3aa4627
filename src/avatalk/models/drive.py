"""Google Drive's pages, which stand before large files."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit


def confirmed(page: str, address: str) -> str | None:
    """Return the address that the download button of a confirmation page leads to.

    Args:
        page: HTML, "Google Drive can't scan this file for viruses".
        address: of the page.

    Returns:
        The address; None if the page has no such form, as when too many people fetched the file today.
    """
    reader = _Form()
    reader.feed(page)
    if reader.action is None:
        return None
    target = urljoin(address, reader.action)
    if urlsplit(target).scheme not in ("http", "https"):
        return None
    joint = "&" if urlsplit(target).query else "?"
    return target + joint + urlencode(reader.fields) if reader.fields else target


class _Form(HTMLParser):
    """Reads the form called ``download-form``: where it leads and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form and its fields."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("id") == "download-form":
            self.action, self._inside = given.get("action", ""), True
        elif tag == "input" and self._inside and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Leave the form."""
        if tag == "form":
            self._inside = False
