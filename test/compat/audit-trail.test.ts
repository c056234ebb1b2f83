/** docs/audit.md as it stands, addresses and logins apart: its statements, its connectors, its question. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { putConnector, sleep, startMillrace } from "../chaos/millrace-process.ts";
import { freePorts } from "../peers/ports.ts";
import { startPostgres } from "../peers/postgres.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/audit.md"), "utf8");
const blocks = (language: string): string[] =>
  Array.from(page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g")), (m) => m[1] ?? "");
const [message = "", identity = "", question = ""] = blocks("sql");
const connectors = blocks("json").map((text) => JSON.parse(text) as { name: string; config: Record<string, string> });

test("who changed row 42, from what to what", async (context) => {
  const [port = 0, broker = 0, rest = 0] = await freePorts(3);
  const peer = await startPostgres(port);
  if ("reason" in peer) return context.skip(peer.reason);
  const folder = await mkdtemp(join(tmpdir(), "millrace-audit-"));
  const millrace = await startMillrace(folder, broker, rest);
  try {
    const shop = await peer.database("shop");
    const audit = await peer.database("audit");
    await shop.query("CREATE TABLE public.customers (id int PRIMARY KEY, email text)");
    await shop.query(identity);
    await shop.query("INSERT INTO customers VALUES (42, 'first@example.com'), (43, 'other@example.com')");
    const here = { "database.port": String(port), "database.user": peer.user, "connection.username": peer.user };
    for (const { name, config } of connectors) {
      const url = config["connection.url"]?.replace(":5432/", `:${port}/`);
      const ours = Object.entries(here).filter(([key]) => key in config);
      await putConnector(millrace.rest, name, {
        ...config,
        ...Object.fromEntries(ours),
        ...(url !== undefined && { "connection.url": url }),
      });
    }
    const answer = async (): Promise<readonly Record<string, unknown>[]> =>
      (await audit.query<Record<string, unknown>>(question).catch(() => ({ rows: [] }))).rows;
    const until = async (holds: () => Promise<boolean>): Promise<void> => {
      for (let i = 0; i < 600 && !(await holds()); i++) await sleep(100);
    };
    await until(async () => (await audit.query("SELECT to_regclass('audited_public_customers') AS t")).rows[0]?.t !== null);
    for (const change of ["UPDATE customers SET email = 'second@example.com' WHERE id = 42", "DELETE FROM customers WHERE id = 42"])
      await shop.query(`BEGIN; ${message} ${change}; COMMIT`);
    // Rows and messages come by two topics, in no order between them.
    await until(async () => (await answer()).filter((r) => r["actor"] !== null).length >= 2);
    const told = (await answer()).map((r) => [r["op"], r["actor"], r["reason"], r["email_before"], r["email"], r["deleted"]]);
    expect(told).toEqual([
      ["r", null, null, null, "first@example.com", "false"],
      ["u", "ann", "ticket 4711", "first@example.com", "second@example.com", "false"],
      ["d", "ann", "ticket 4711", "second@example.com", "second@example.com", "true"],
    ]);
  } finally {
    await millrace.kill();
    await peer.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
