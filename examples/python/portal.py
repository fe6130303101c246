"""A service that talks to a ledger over NATS, with nats-py alone.

    pip install nats-py
    chl serve --bus nats://127.0.0.1:4222 --actors actors.toml
    python portal.py nats://127.0.0.1:4222 svc-portal

Three things a client does: send a command and send it again under the same id until there is an
answer; ask a read model; publish a command and go, with the answer in the results.
"""

import asyncio
import json
import sys
import uuid

import nats
from nats.errors import NoRespondersError, TimeoutError


class Ledger:
    """One ledger, as one actor sees it."""

    def __init__(self, connection, actor, ledger="main"):
        self.connection = connection
        self.prefix = f"chl.{ledger}.as.{actor}"

    async def command(self, kind, data, id=None, timeout=5.0, tries=10):
        """Sends a command until it is answered. The id makes a second try harmless."""
        document = {"id": id or str(uuid.uuid4()), "type": kind, "data": data}
        for attempt in range(tries):
            try:
                answer = await self._request(f"cmd.{kind}", document, timeout)
            except (NoRespondersError, TimeoutError):
                # No owner at the moment, or it was lost on the way: the same id again.
                answer = {"outcome": "failed", "retry": True}
            if not answer.get("retry"):
                return answer
            await asyncio.sleep(min(0.1 * 2**attempt, 5))
        raise RuntimeError(f"{kind} {document['id']} has no answer yet: {answer}")

    async def query(self, view, **filters):
        """Asks a read model; the filters are those of `chl query`."""
        answer = await self._request(f"query.{view}", filters, 10.0)
        if "rows" not in answer:
            raise RuntimeError(f"{view}: {answer['code']}: {answer['message']}")
        return answer["rows"]

    async def publish(self, kind, data, id):
        """Publishes a command and goes: once this returns, the queue has it on disk."""
        document = json.dumps({"id": id, "type": kind, "data": data}).encode()
        subject = f"{self.prefix}.queue.{kind}"
        await self.connection.jetstream().publish(subject, document)

    async def results(self, count, ledger="main"):
        """The next answers to what this actor has published."""
        stream = f"chl-{ledger}-results"
        subscription = await self.connection.jetstream().subscribe(
            f"{self.prefix}.result.*", stream=stream, ordered_consumer=True
        )
        found = [json.loads((await subscription.next_msg(timeout=10)).data) for _ in range(count)]
        await subscription.unsubscribe()
        return found

    async def _request(self, subject, document, timeout):
        body = json.dumps(document).encode()
        reply = await self.connection.request(f"{self.prefix}.{subject}", body, timeout=timeout)
        return json.loads(reply.data)


async def main(url, actor):
    connection = await nats.connect(url)
    ledger = Ledger(connection, actor)
    recruit = {"partner": "p-1", "name": "Northwind Traders", "types": ["reseller"]}
    first = await ledger.command("RecruitPartner", recruit, id="recruit-p-1")
    print("recruited:", first["outcome"], "at position", first["position"])
    again = await ledger.command("RecruitPartner", recruit, id="recruit-p-1")
    print("sent again: duplicate", again["duplicate"], "at position", again["position"])
    refused = await ledger.command("RecruitPartner", {"partner": "p-1"}, id="broken")
    print("refused:", refused["code"], "-", refused["message"])
    await ledger.publish("ApplyForProgramme", {"partner": "p-1"}, id="apply-p-1")
    [result] = await ledger.results(1)
    print("published and gone:", result["outcome"], result["id"])
    for row in await ledger.query("partners"):
        print("partner:", row["partner"], row["state"])
    await connection.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
