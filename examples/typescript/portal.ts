/**
 * A service that talks to a ledger over NATS.
 *
 *     npm install
 *     chl serve --bus nats://127.0.0.1:4222 --actors actors.toml
 *     npm start -- nats://127.0.0.1:4222 svc-portal
 *
 * Three things a client does: send a command and send it again under the same id until there is an
 * answer; ask a read model; publish a command and go, with the answer in the results.
 */
import { jetstream } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";

type Json = { [field: string]: unknown };
type Answer = Json & { outcome: "accepted" | "rejected" | "failed"; retry?: boolean };

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** One ledger, as one actor sees it. */
class Ledger {
  private readonly prefix: string;

  constructor(
    private readonly connection: NatsConnection,
    actor: string,
    private readonly ledger = "main",
  ) {
    this.prefix = `chl.${ledger}.as.${actor}`;
  }

  /** Sends a command until it is answered. The id makes a second try harmless. */
  async command(type: string, data: Json, id: string = crypto.randomUUID(), tries = 10): Promise<Answer> {
    const document = JSON.stringify({ id, type, data });
    for (let attempt = 0; attempt < tries; attempt++) {
      try {
        const reply = await this.connection.request(`${this.prefix}.cmd.${type}`, document, { timeout: 5000 });
        const answer = reply.json<Answer>();
        if (!answer.retry) return answer;
      } catch (error) {
        // No owner at the moment, or it was lost on the way: the same id again.
        console.error(`${type} ${id}: ${error}`);
      }
      await pause(Math.min(100 * 2 ** attempt, 5000));
    }
    throw new Error(`${type} ${id} has no answer yet`);
  }

  /** Asks a read model; the filters are those of `chl query`. */
  async query(view: string, filters: Json = {}): Promise<Json[]> {
    const reply = await this.connection.request(`${this.prefix}.query.${view}`, JSON.stringify(filters), { timeout: 10_000 });
    const answer = reply.json<{ rows?: Json[]; code?: string; message?: string }>();
    if (!answer.rows) throw new Error(`${view}: ${answer.code}: ${answer.message}`);
    return answer.rows;
  }

  /** Publishes a command and goes: once this returns, the queue has it on disk. */
  async publish(type: string, data: Json, id: string): Promise<void> {
    await jetstream(this.connection).publish(`${this.prefix}.queue.${type}`, JSON.stringify({ id, type, data }));
  }

  /** The first answers to what this actor has published. */
  async results(count: number): Promise<Answer[]> {
    const filter = { filter_subjects: `${this.prefix}.result.*` };
    const consumer = await jetstream(this.connection).consumers.get(`chl-${this.ledger}-results`, filter);
    const messages = await consumer.fetch({ max_messages: count, expires: 10_000 });
    const found: Answer[] = [];
    for await (const message of messages) found.push(message.json<Answer>());
    return found;
  }
}

const [url, actor] = process.argv.slice(2);
const connection = await connect({ servers: url });
const ledger = new Ledger(connection, actor);
const recruit = { partner: "p-1", name: "Northwind Traders", types: ["reseller"] };
const first = await ledger.command("RecruitPartner", recruit, "recruit-p-1");
console.log(`recruited: ${first.outcome} at position ${first.position}`);
const again = await ledger.command("RecruitPartner", recruit, "recruit-p-1");
console.log(`sent again: duplicate ${again.duplicate} at position ${again.position}`);
const refused = await ledger.command("RecruitPartner", { partner: "p-1" }, "broken");
console.log(`refused: ${refused.code} - ${refused.message}`);
await ledger.publish("ApplyForProgramme", { partner: "p-1" }, "apply-p-1");
for (const result of await ledger.results(1)) console.log(`published and gone: ${result.outcome} ${result.id}`);
for (const row of await ledger.query("partners")) console.log(`partner: ${row.partner} ${row.state}`);
await connection.close();
