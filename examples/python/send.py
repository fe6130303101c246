"""Sends a file of commands, a JSON document a line, so many requests in flight.

    python send.py nats://127.0.0.1:4222 ACTOR commands.jsonl --in-flight 64

Answers are counted by outcome and code. A command without an answer is sent again under its id;
what was accepted before is accepted again and changes nothing.
"""

import argparse
import asyncio
import collections
import json

import nats
from nats.errors import NoRespondersError, TimeoutError


async def answered(connection, subject, line):
    """The answer to one command, sent until there is one."""
    while True:
        try:
            reply = await connection.request(subject, line, timeout=10)
            answer = json.loads(reply.data)
            if not answer.get("retry"):
                return answer
        except (NoRespondersError, TimeoutError):
            pass
        await asyncio.sleep(0.2)


async def main(options):
    connection = await nats.connect(options.url)
    prefix = f"chl.{options.ledger}.as.{options.actor}.cmd"
    counts = collections.Counter()
    in_flight = collections.deque()

    async def first():
        answer = await in_flight.popleft()
        counts[answer.get("code", answer["outcome"])] += 1

    with open(options.file, "rb") as file:
        for line in file:
            line = line.strip()
            if not line:
                continue
            subject = f"{prefix}.{json.loads(line)['type']}"
            in_flight.append(asyncio.ensure_future(answered(connection, subject, line)))
            # Tasks publish in the order they were made; the ledger decides in the order they come.
            await asyncio.sleep(0)
            if len(in_flight) >= options.in_flight:
                await first()
    while in_flight:
        await first()
    print(json.dumps(dict(sorted(counts.items()))))
    await connection.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("actor")
    parser.add_argument("file")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--ledger", default="main")
    asyncio.run(main(parser.parse_args()))
