"""Reads an export with one tool and prints sums of it, as JSON.

    read_export.py TOOL FOLDER     where TOOL is csv (no other package) or duckdb (Parquet)

Exit code 77 says that the tool is not installed.
"""

import csv
import decimal
import json
import pathlib
import sys


def with_csv(folder):
    sums = {}
    for part in sorted(folder.glob("postings/*/part.csv")):
        with open(part, newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                add(sums, row["currency"], decimal.Decimal(row["debit"] or 0),
                    decimal.Decimal(row["credit"] or 0), row["debit_minor"])
    with open(folder / "deals.csv", newline="", encoding="utf-8") as rows:
        values = [(row["deal"], row["value"], row["value_currency"]) for row in csv.DictReader(rows)]
    return sums, values


def add(sums, currency, debit, credit, minor):
    of = sums.setdefault(currency, [0, decimal.Decimal(0), decimal.Decimal(0), 0])
    of[0] += 1
    of[1] += debit
    of[2] += credit
    of[3] += int(minor or 0)


def with_duckdb(folder):
    import duckdb

    db = duckdb.connect()
    rows = db.execute(
        f"""SELECT currency, count(*), sum(debit), sum(credit), sum(debit_minor)
            FROM read_parquet('{folder}/postings/*/*.parquet', hive_partitioning = true)
            GROUP BY currency ORDER BY currency"""
    ).fetchall()
    deals = db.execute(
        f"SELECT deal, value, value_currency FROM '{folder}/deals.parquet' ORDER BY 1"
    ).fetchall()
    kind = db.execute(f"SELECT typeof(value), typeof(registered_at) FROM '{folder}/deals.parquet'")
    assert kind.fetchone() == ("DECIMAL(38,4)", "TIMESTAMP WITH TIME ZONE")
    return {code: list(of) for code, *of in rows}, deals


def main(tool, folder):
    try:
        sums, values = {"csv": with_csv, "duckdb": with_duckdb}[tool](pathlib.Path(folder))
    except ImportError as missing:
        print(missing, file=sys.stderr)
        return 77
    plain = lambda number: f"{decimal.Decimal(number):f}"
    print(json.dumps({
        "postings": {
            code: [count, plain(debit.quantize(decimal.Decimal("0.01"))),
                   plain(credit.quantize(decimal.Decimal("0.01"))), int(minor)]
            for code, (count, debit, credit, minor) in sorted(sums.items())
        },
        "deals": [
            [deal, plain(decimal.Decimal(value).quantize(decimal.Decimal("0.01"))), code]
            for deal, value, code in values
        ],
    }))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
