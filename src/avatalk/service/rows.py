"""Rows of a batch: read from CSV or JSON, and put into the places that a template has for them."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any
from xml.sax.saxutils import escape

from avatalk.errors import BadInput, TooLarge

Row = dict[str, str]

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}\n]{1,100})\}")
_DELIMITERS = (",", ";", "\t", "|")
_MOST_COLUMNS = 100


def read_rows(data: bytes, most: int) -> list[Row]:
    """Rows of a CSV file with a line of names, or of a JSON list of objects.

    CSV may be UTF-8, UTF-16 with its mark, or Windows-1252; divided by commas, semicolons, tabs or bars.

    Args:
        data: the file.
        most: rows there may be.

    Raises:
        BadInput: it is neither, or a row does not fit the names.
        TooLarge: there are more rows than `most`.
    """
    text = _text(data)
    if text.lstrip().startswith("["):
        return plain_rows(read_json(text, "rows"), most)
    return _csv(text, most)


def read_json(data: str | bytes, field: str | None = None) -> Any:
    """What a JSON text says.

    Raises:
        BadInput: it is none, or has halves of characters in it, which nothing can write again.
    """
    found = parse_json(data, field)
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, field) from error
    return found


def parse_json(data: str | bytes, field: str | None = None) -> Any:
    """What a JSON text says, with whatever is in its texts.

    Raises:
        BadInput: it is none.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _unreadable(error, field) from error


def _unreadable(error: Exception, field: str | None) -> BadInput:
    return BadInput(f"This is no valid JSON ({_why(error)}).", hint="See /docs.", field=field)


def _why(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeEncodeError):
        return "it has halves of characters in it"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:100]}, line {error.lineno}"
    return "a number has too many digits"


def plain_rows(rows: object, most: int) -> list[Row]:
    """Rows of JSON as texts.

    Raises:
        BadInput: they are no list of objects with texts and numbers in them.
        TooLarge: there are more than `most`.
    """
    if not isinstance(rows, list) or not rows:
        raise _wrong("There are no rows.")
    _check_count(len(rows), most)
    plain = []
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or len(row) > _MOST_COLUMNS:
            raise _wrong(f"Row {number} is no object of at most {_MOST_COLUMNS} values.", number)
        for column, value in row.items():
            if value is not None and not isinstance(value, (str, int, float)):
                raise _wrong(f"Row {number} has no text or number in {column}.", number, column)
        plain.append({str(column).strip(): _written(value) for column, value in row.items()})
    return plain


def _written(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _wrong("The rows are no text.")


def _csv(text: str, most: int) -> list[Row]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", first)
    delimiter = max(_DELIMITERS, key=unquoted.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        names: list[str] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not names:
                names = [cell.strip() for cell in cells]
                _check_names(names)
                continue
            number = len(rows) + 1
            _check_count(number, most)
            if len(cells) != len(names):
                raise _wrong(
                    f"Row {number} (line {reader.line_num}) has {len(cells)} cells; there are {len(names)} "
                    "columns.",
                    number,
                )
            rows.append({name: cell.strip() for name, cell in zip(names, cells, strict=True)})
    except csv.Error as error:
        raise _wrong(f"The rows are no valid CSV: line {reader.line_num}, {error}.") from error
    if not rows:
        raise _wrong("There are no rows.")
    return rows


def _check_names(names: list[str]) -> None:
    for index, name in enumerate(names, 1):
        if not name:
            raise _wrong(f"Column {index} has no name.")
        if name in names[: index - 1]:
            raise _wrong(f"Two columns are called {name}.")
    if len(names) > _MOST_COLUMNS:
        raise _wrong(f"There are {len(names)} columns; {_MOST_COLUMNS} is the most.")


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise TooLarge(
            f"There are more than {most} rows.",
            hint="Cut them into several batches; AVATALK_MAX_ROWS is the limit of this server.",
            field="rows",
        )


def _wrong(message: str, number: int | None = None, column: str | None = None) -> BadInput:
    place = ".".join(str(part) for part in ("rows", number, column) if part is not None)
    return BadInput(
        message,
        hint="Give CSV whose first line names the columns, or a JSON list of objects.",
        field=place,
    )


def places(template: dict[str, Any]) -> dict[str, list[str]]:
    """Column → the fields of a template that have a place for it, written ``{column}``.

    Raises:
        BadInput: a brace is left over.
    """
    found: dict[str, list[str]] = {}
    for field, value in template.items():
        if isinstance(value, str):
            if re.search(r"[{}]", _PLACE.sub("", value)):
                raise BadInput(
                    f"A brace in {field} has no other one.",
                    hint="A place is written {column}, a brace itself {{ or }}.",
                    field=f"template.{field}",
                )
            for match in _PLACE.finditer(value):
                if match[1] is not None:
                    found.setdefault(match[1].strip(), []).append(field)
    return found


def fill(template: dict[str, Any], row: Row) -> dict[str, Any]:
    """The template with the values of a row in its places.

    ``{{`` and ``}}`` stand for braces. A field that is nothing but a place is left out where the value is
    empty, so its default holds. In SSML, what has a meaning there is escaped.

    Args:
        template: fields of a request.
        row: has all columns of `places`.
    """
    filled: dict[str, Any] = {}
    for field, value in template.items():
        if not isinstance(value, str):
            filled[field] = value
            continue
        ssml = value.lstrip().startswith("<speak")

        def put(match: re.Match[str], ssml: bool = ssml) -> str:
            if match[1] is None:
                return match[0][0]
            text = row[match[1].strip()]
            return escape(text, {'"': "&quot;"}) if ssml else text

        text = _PLACE.sub(put, value)
        if text or not _PLACE.fullmatch(value.strip()):
            filled[field] = text
    return filled


def check_columns(template: dict[str, Any], rows: list[Row]) -> None:
    """Check that every row has what the template has places for.

    Raises:
        BadInput: a column is missing; the message names it.
    """
    needed = places(template)
    for number, row in enumerate(rows, 1):
        for column, fields in needed.items():
            if column not in row:
                have = ", ".join(row) or "none"
                raise BadInput(
                    f"Row {number} has no column {column}, for which {fields[0]} has a place.",
                    hint=f"Its columns: {have}. A brace that is meant as such is written twice.",
                    field=f"rows.{number}.{column}",
                )
