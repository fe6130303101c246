#!/usr/bin/env python3
"""Verifies receipts of Channel Ledger without Channel Ledger.

    verify_receipt.py WIRE.md KEY [--reading FILE] RECEIPT...

Nothing here comes from the program: notes, checkpoints and proofs are read by their specifications
(C2SP, RFC 9162), a commit's bytes by the tables of docs/WIRE.md. With --reading, what `chl audit
check --output jsonl` printed of the same files is compared with the bytes. Prints a line of JSON for
each file; ends with 1 when one does not hold, with 77 when the package cryptography is missing.
"""

import base64
import datetime
import hashlib
import json
import re
import sys
from pathlib import Path

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit(77)

# ISO 4217: currencies whose minor unit is not a hundredth.
DIGITS = {"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF": 0,
          "BHD IQD JOD KWD LYD OMR TND": 3, "CLF UYW": 4}
ORIGIN = "String String ActorId Option<ActorId> Role Option<PartnerId> Option<u8> bool " \
         "Option<Sealed> Option<String> Option<String>"
# What a JSON reading shows in another form than the bytes have.
SHOWN_OTHERWISE = re.compile("Sealed|KeyId|Name|FreeText|Instant|LedgerId|Period|Evidence|Terms")


def require(holds, why):
    if not holds:
        raise ValueError(why)


def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    require(base64.b64encode(raw).decode() == text, "base64 written in another way")
    return raw


def number(text):
    require(text == str(int(text)), "a number written in another way")
    return int(text)


def public_key(text):
    """NAME+ID+base64(0x01 | key)."""
    match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+(\S+)", text)
    raw = unbase64(match[3]) if match else b""
    require(len(raw) == 33 and raw[0] == 1, "no Ed25519 key")
    identity = hashlib.sha256(match[1].encode() + b"\n" + raw).digest()[:4]
    require(identity.hex() == match[2], "a key whose id is another")
    return match[1], identity, Ed25519PublicKey.from_public_bytes(raw[1:])


def checkpoint(note, key):
    """Size and root of the tree that the key vouches for: signed-note and tlog-checkpoint."""
    name, identity, verifier = key
    text, _, lines = note.rpartition("\n\n")
    require(text and lines.endswith("\n"), "no signed note")
    signed = False
    for line in lines[:-1].split("\n"):
        match = re.fullmatch("\u2014 ([^\\s+]+) (\\S+)", line)
        require(match, "a line below the checkpoint is no signature")
        raw = unbase64(match[2])
        if (match[1], raw[:4]) == (name, identity):
            verifier.verify(raw[4:], (text + "\n").encode())
            signed = True
    require(signed, "the key has not signed the checkpoint")
    fields = text.split("\n")
    require(len(fields) >= 3 and all(fields), "no checkpoint")
    require(fields[0] == name, "a checkpoint of another ledger than the key's")
    return number(fields[1]), unbase64(fields[2])


def included(entry, index, size, root, proof):
    """RFC 9162, section 2.1.3.2."""
    require(index < size, "a position that is not in the tree")
    node, last, found = index, size - 1, hashlib.sha256(b"\0" + entry).digest()
    for sibling in proof:
        require(last > 0, "a proof that is too long")
        if node & 1 or node == last:
            found = hashlib.sha256(b"\1" + sibling + found).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + sibling).digest()
        node, last = node >> 1, last >> 1
    require(last == 0 and found == root, "the entry is not in the signed tree")


def proved(text, key):
    """The entry and position of a tlog-proof that has the entry as its extra data."""
    require(not re.search("[\0-\x09\x0b-\x1f\x7f]", text), "control characters")
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    require(len(lines) >= 3 and lines[0] == "c2sp.org/tlog-proof@v1", "no receipt")
    require(lines[1].startswith("extra ") and lines[2].startswith("index "), "no entry")
    entry, index = unbase64(lines[1][6:]), number(lines[2][6:])
    proof = [unbase64(line) for line in lines[3:]]
    require(all(len(sibling) == 32 for sibling in proof), "no proof")
    included(entry, index, *checkpoint(note, key), proof)
    return entry, index


class Wire:
    """The tables of docs/WIRE.md."""
    def __init__(self, path):
        parts = re.split(r"^## (.+)$", Path(path).read_text("utf-8"), flags=re.M)
        page = dict(zip(parts[1::2], parts[2::2]))
        def rows(title, columns):
            lines = re.findall(r"^\| (?!-)(.+) \|$", page[title], flags=re.M)[1:]
            return [line.split(" | ", columns - 1) for line in lines]
        def fields(text):
            return re.findall(r"`(\w+)` ([\w<>]+)", text)
        self.structs = {name: fields(text) for name, text in rows("Structs", 2)}
        self.words = {name: {int(n): word for n, word in re.findall(r"(\d+) ([\w.]+)", text)}
                      for name, text in rows("Vocabularies", 2)}
        self.events = {(int(tag), int(version)): (name, fields(text))
                       for tag, version, name, text in rows("Events", 4)}


class Reader:
    """Bytes taken by the types that docs/WIRE.md names, as values like those of a JSON reading."""
    def __init__(self, raw, wire):
        self.raw, self.wire = raw, wire

    def take(self, count):
        require(count <= len(self.raw), "it ends in the middle")
        taken, self.raw = self.raw[:count], self.raw[count:]
        return taken

    def unsigned(self):
        byte = self.take(1)[0]
        return byte if byte < 0x80 else byte & 0x7F | self.unsigned() << 7

    def signed(self):
        return (value := self.unsigned()) >> 1 ^ -(value & 1)

    def several(self, kinds):
        return [self.value(kind) for kind in kinds]

    def value(self, kind):
        outer = re.fullmatch("(Option|Vec)<(.+)>", kind)
        if outer and outer[1] == "Option":
            return self.value(outer[2]) if self.value("bool") else None
        if outer:
            return self.several([outer[2]] * self.unsigned())
        if kind in self.wire.structs:
            return {name: self.value(of) for name, of in self.wire.structs[kind]}
        if kind in self.wire.words:
            return self.wire.words[kind][self.take(1)[0]]
        if kind == "bool":
            return (False, True)[self.take(1)[0]]
        if kind == "Money":
            minor, currency = self.signed(), self.take(3).decode("ascii")
            return {"amount": decimal(minor, DIGITS.get(currency, 2)), "currency": currency}
        if kind in ("Rate", "Exact"):
            return decimal(self.signed(), self.unsigned())
        if kind == "Date":
            return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=self.signed()))
        if kind in ("Name", "FreeText"):
            return self.several(["Option<String>", "Option<Sealed>"])
        if kind in ("Sealed", "LedgerId", "KeyId"):
            return [self.take(16), kind == "Sealed" and self.take(self.unsigned())]
        if kind == "Period":
            return self.several(["Date", "Date"])
        if kind in ("Instant", "u16", "u32", "u64"):
            return self.signed() if kind == "Instant" else self.unsigned()
        if kind == "u8":
            return self.take(1)[0]
        require(re.fullmatch(r"String|Code|Currency|DisplayName|Stream|\w+Id", kind), f"type {kind}")
        return self.take(3 if kind == "Currency" else self.unsigned()).decode("utf-8")


def decimal(value, digits):
    text = str(abs(value)).rjust(digits + 1, "0")
    return "-" * (value < 0) + text[:len(text) - digits] + ("." + text[-digits:]) * (digits > 0)


def commit(entry, wire):
    """The position of a commit and its events."""
    read = Reader(entry, wire)
    require(read.take(1) == b"\1", "a commit of another format")
    position = read.several(f"u64 Stream u64 {ORIGIN} u16 u16".split())[0]
    read.take(read.unsigned())
    read.several(["Instant", "Option<Instant>"])
    events = []
    for _ in range(read.unsigned()):
        name, fields = wire.events[read.unsigned(), read.unsigned()]
        dates, inner = read.value("Period"), Reader(read.take(read.unsigned()), wire)
        data = {field: inner.value(kind) for field, kind in fields}
        require(not inner.raw, f"bytes are left over behind {name}")
        shown = [field for field, kind in fields if not SHOWN_OTHERWISE.search(kind)]
        events.append((name, data, shown, dates, read.value("Vec<PostingLine>")))
    require(events and not read.raw, "bytes are left over behind the commit")
    return position, events


def plain(value):
    """A value without what is empty, which a reading may leave out."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if plain(one) not in (None, [])}
    return [plain(one) for one in value] if isinstance(value, list) else value


def compare(position, events, reading):
    """Requires that a JSON reading says what the bytes say."""
    require(reading.get("holds") is True and reading.get("position") == position, "not the reading")
    require(len(reading["events"]) == len(events), "the reading has other events")
    for (name, data, shown, dates, lines), said in zip(events, reading["events"]):
        require([said["type"], said["effective_on"], said["posted_on"]] == [name, *dates], name)
        for field in shown:
            told = said["data"].get(field)
            require(plain(told) == plain(data[field]), f"{name}.{field} is not {told}")
        require(plain(said.get("lines") or []) == plain(lines), f"other postings of {name}")


def verified(path, key, wire, readings):
    entry, index = proved(Path(path).read_bytes().decode("utf-8"), key)
    position, events = commit(entry, wire)
    require(position == index, "a commit of another position")
    if readings is not None:
        compare(position, events, readings[path])
    of = {name: value for _, data, *_ in reversed(events) for name, value in data.items() if value}
    money = next((of[name] for name in ("amount", "granted", "value") if name in of), {})
    return {"position": position, "claim": of.get("claim"), "deal": of.get("deal"),
            "partner": of.get("partner"), **money, "outcome": [name for name, *_ in events]}


def main(wire, key, *receipts):
    wire, key, readings, failed = Wire(wire), public_key(key), None, 0
    if receipts[0] == "--reading":
        lines = Path(receipts[1]).read_text("utf-8").splitlines()
        readings, receipts = {row["file"]: row for row in map(json.loads, lines)}, receipts[2:]
    for path in receipts:
        try:
            row = {"holds": True, **verified(path, key, wire, readings)}
        except (InvalidSignature, LookupError, OSError, ArithmeticError, ValueError) as error:
            row, failed = {"holds": False, "why": repr(error)}, 1
        print(json.dumps({"file": path, **row}))
    sys.exit(failed)


main(*sys.argv[1:])
