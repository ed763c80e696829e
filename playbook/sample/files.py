"""Writing tables so that the same tables give the same bytes.

Small tables are CSV that Excel opens (UTF-8 with a byte-order mark, ISO dates); large ones are
Parquet, one file per table with one row group per branch, sorted by branch, so that a reader
touches only the branch it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from playbook.tables import TABLES, Column

#: Tables that grow with clients and months.
LARGE = ("balances_monthly", "holdings", "flows", "contacts", "plans")
_ARROW = {
    "bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "money": pa.float64(),
    "date": pa.date32(), "datetime": pa.timestamp("s"),
}  # fmt: skip


def _shown(series: pd.Series, column: Column) -> pd.Series:
    """A column as CSV text: ISO dates, money with two decimals, 1 and 0 for yes and no."""
    if column.type in ("date", "datetime", "month"):
        form = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M:%S", "month": "%Y-%m"}[column.type]
        return pd.Series(pd.DatetimeIndex(series).strftime(form), index=series.index)
    if column.type == "money":
        return series.map("{:.2f}".format, na_action="ignore")
    if column.type == "float":
        return series.map(lambda x: f"{x:.10g}", na_action="ignore")
    if column.type in ("bool", "int"):
        return series.astype("Int64").astype("str").where(series.notna())
    return series


def csv_bytes(name: str, frame: pd.DataFrame) -> bytes:
    """A table as the CSV file that a bank would hand over."""
    table = TABLES[name]
    shown = pd.DataFrame({c: _shown(frame[c], table[c]) for c in frame.columns})
    return shown.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def arrow_schema(name: str, columns: Iterable[str]) -> pa.Schema:
    """The Parquet types of a table; a month is text ``YYYY-MM``."""
    table = TABLES[name]
    return pa.schema([(c, _ARROW.get(table[c].type, pa.string())) for c in columns])


def arrow_table(name: str, frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """A table in its Parquet types, without any mark of the program that made it."""
    table = TABLES[name]
    shown = {
        c: _shown(frame[c], table[c]) if table[c].type == "month" else frame[c]
        for c in schema.names
    }
    arrays = []
    for field in schema:
        values = shown[field.name]
        if pa.types.is_date32(field.type):
            arrays.append(pa.array(values, from_pandas=True).cast(pa.date32()))
        else:
            arrays.append(pa.array(values, type=field.type, from_pandas=True))
    return pa.Table.from_arrays(
        [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays], schema=schema
    )


def write_plain_parquet(path: Path, frame: pd.DataFrame) -> None:
    """A table outside the book; days as dates, and no mark of the program that made it."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    days = [
        (i, f) for i, f in enumerate(table.schema) if pa.types.is_timestamp(f.type)
    ]  # fmt: skip
    for place, field in days:
        column = table.column(place).cast(pa.timestamp("s")).cast(pa.date32())
        table = table.set_column(place, pa.field(field.name, pa.date32()), column)
    pq.write_table(table, path, compression="zstd", compression_level=9, store_schema=False)


class ParquetSink:
    """One Parquet file per table; each call adds one branch as one row group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, pq.ParquetWriter] = {}

    def add(self, name: str, frame: pd.DataFrame) -> None:
        """Append one branch's rows of a table."""
        if name not in self.writers:
            schema = arrow_schema(name, frame.columns)
            money = [c for c in frame.columns if TABLES[name][c].type in ("money", "float")]
            self.writers[name] = pq.ParquetWriter(
                self.folder / f"{name}.parquet", schema, compression="zstd", compression_level=9,
                use_dictionary=[c for c in frame.columns if c not in money], write_statistics=True,
                store_schema=False, version="2.6",
                data_page_size=1 << 20,
            )  # fmt: skip
        writer = self.writers[name]
        writer.write_table(arrow_table(name, frame, writer.schema), row_group_size=len(frame) or 1)

    def close(self) -> None:
        """Finish all files."""
        for writer in self.writers.values():
            writer.close()

    def __enter__(self) -> ParquetSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_csv(folder: Path, name: str, frames: Iterable[pd.DataFrame]) -> None:
    """All branches of a small table in one CSV file."""
    frame = pd.concat(list(frames), ignore_index=True)
    (folder / f"{name}.csv").write_bytes(csv_bytes(name, frame))
