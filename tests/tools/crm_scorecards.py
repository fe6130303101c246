"""Computes agents' operational metrics from a CRM export, and prints them as JSON.

    crm_scorecards.py FOLDER FIRST LAST     days of the period, as 2017-01-01

Of every agent: won / (won + lost), mean and median of the days from engaging to winning, all by
the closing date; and the percentile of the win rate, in points of two places, within the region:
100 x (below + half of equal) / number. It reads the export itself, with exact fractions, and shares
nothing with the ledger.
"""

import csv
import datetime
import fractions
import json
import pathlib
import re
import statistics
import sys
import unicodedata


def slug(name):
    """An agent's identifier in the ledger."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def shown(value, places):
    """A fraction as an exact decimal of at most so many places, half to even, no zeros behind."""
    scaled = round(value * 10**places)  # Python rounds a Fraction half to even
    whole, rest = divmod(abs(scaled), 10**places)
    text = f"{'-' if scaled < 0 else ''}{whole}.{rest:0{places}}"
    return text.rstrip("0").rstrip(".")


def rows(folder, name):
    with open(pathlib.Path(folder) / name, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def main(folder, first, last):
    first, last = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    regions = {row["sales_agent"]: row["regional_office"] for row in rows(folder, "sales_teams.csv")}
    won, lost = {agent: [] for agent in regions}, {agent: 0 for agent in regions}
    for row in rows(folder, "sales_pipeline.csv"):
        if not row["close_date"] or row["deal_stage"] not in ("Won", "Lost"):
            continue
        closed = datetime.date.fromisoformat(row["close_date"])
        if not first <= closed <= last:
            continue
        if row["deal_stage"] == "Lost":
            lost[row["sales_agent"]] += 1
        else:
            engaged = datetime.date.fromisoformat(row["engage_date"])
            won[row["sales_agent"]].append((closed - engaged).days)

    rates = {}
    for agent in regions:
        closed = len(won[agent]) + lost[agent]
        if closed:
            rates[agent] = fractions.Fraction(len(won[agent]), closed)
    points = {agent: round(rate * 100 * 100) for agent, rate in rates.items()}
    figures = {}
    for agent, region in regions.items():
        days = [fractions.Fraction(number) for number in won[agent]]
        mine = {"win_rate": None, "cycle_days": None, "cycle_days_mean": None, "percentile": None}
        if agent in rates:
            peers = [points[one] for one in rates if regions[one] == region]
            below = sum(one < points[agent] for one in peers)
            equal = sum(one == points[agent] for one in peers)
            mine["win_rate"] = shown(rates[agent], 6)
            if len(peers) >= 5:
                place = fractions.Fraction(100 * (2 * below + equal), 2 * len(peers))
                mine["percentile"] = shown(place, 1)
        if days:
            mine["cycle_days"] = shown(statistics.median(days), 6)
            mine["cycle_days_mean"] = shown(sum(days) / len(days), 6)
        figures[slug(agent)] = mine
    json.dump(figures, sys.stdout, indent=1, sort_keys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
