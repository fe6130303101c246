"""Reads the read models with one tool and prints sums of them, as JSON.

    read_views.py TOOL FILE     where TOOL is sqlite3, pandas or duckdb

Exit code 77 says that the tool is not installed.
"""

import json
import pathlib
import sqlite3
import sys

POSTINGS = """SELECT currency, sum(debit_minor) AS debit, sum(credit_minor) AS credit
              FROM {postings} GROUP BY currency ORDER BY currency"""
BALANCES = """SELECT fund, currency, sum(available_minor) AS available, sum(paid_minor) AS paid
              FROM {balances} WHERE lot = 'total' GROUP BY fund, currency ORDER BY fund, currency"""
POSITION = "SELECT min(position) AS low, max(position) AS high FROM {meta}"


def with_sqlite3(file):
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    db.execute("BEGIN")  # all of it at one position
    return lambda text, **tables: db.execute(text.format(**tables)).fetchall()


def with_pandas(file):
    import pandas

    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    db.execute("BEGIN")
    return lambda text, **tables: pandas.read_sql_query(text.format(**tables), db).values.tolist()


def with_duckdb(file):
    import duckdb
    import duckdb_extension_sqlite_scanner as wheel  # its SQLite extension, not downloaded

    (extension,) = pathlib.Path(wheel.__path__[0]).rglob("*.duckdb_extension")
    db = duckdb.connect()
    db.execute(f"LOAD '{extension}'")
    db.execute(f"ATTACH '{file}' AS views (TYPE sqlite, READ_ONLY)")
    return lambda text, **tables: db.execute(
        text.format(**{name: f"views.{table}" for name, table in tables.items()})
    ).fetchall()


def main(tool, file):
    try:
        ask = {"sqlite3": with_sqlite3, "pandas": with_pandas, "duckdb": with_duckdb}[tool](file)
    except ImportError as missing:
        print(missing, file=sys.stderr)
        return 77
    while True:
        sums = read(ask)
        # DuckDB scans each table through a connection of its own: nothing may have come between.
        if sums["position"] == read(ask)["position"]:
            break
    print(json.dumps(sums))
    return 0


def read(ask):
    ((low, high),) = ask(POSITION, meta="_meta")
    return {
        "position": [int(low), int(high)],
        "postings": [
            [code, int(debit), int(credit)]
            for code, debit, credit in ask(POSTINGS, postings="postings")
        ],
        "balances": [
            [fund, code, int(available), int(paid)]
            for fund, code, available, paid in ask(BALANCES, balances="balances")
        ],
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
