/**
 * F18 with real processes: server and connector are killed (SIGKILL), the log is rotated and its reader cut off, while a load
 * changes rows and their table's definition, also while we are down. Every event has to come at least once, in the definition it was
 * written with, twice only after our own death, and in the end the topic's last values are the table.
 * MILLRACE_CHAOS_SEED repeats a run, MILLRACE_MYSQL_ROUNDS changes the number of faults per server.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import { afterAll, describe, expect, test } from "vitest";
import { createKafkaClients } from "#broker/client/index";
import { startMariadb } from "../peers/mariadb.ts";
import { startMysql } from "../peers/mysql.ts";
import type { MysqlPeer } from "../peers/mysql-server.ts";
import { freePorts } from "../peers/ports.ts";
import { connectorStates, type MillraceProcess, putConnector, seeded, sleep, startMillrace } from "./millrace-process.ts";
import { ChangingLoad, readTopic, type Seen } from "./mysql-load.ts";

const ROUNDS = Number(process.env["MILLRACE_MYSQL_ROUNDS"] ?? 0);
const seed = Number(process.env["MILLRACE_CHAOS_SEED"] ?? 20260407);
const OVERRIDES = { "offset.flush.interval.ms": "60", "scheduled.rebalance.max.delay.ms": "0", "group.initial.rebalance.delay.ms": "0" };
const J = "org.apache.kafka.connect.json.JsonConverter";
/** What is committed survives the server's death: its log and its tables are written at each commit. */
const DURABLE = ["--innodb-flush-log-at-trx-commit=2"];

interface Case {
  readonly name: string;
  readonly flavor: "mysql" | "mariadb";
  readonly gtid: boolean;
  readonly rounds: number;
}
const CASES: readonly Case[] = [
  { name: "mysql_gtid", flavor: "mysql", gtid: true, rounds: ROUNDS || 34 },
  { name: "mysql_file", flavor: "mysql", gtid: false, rounds: ROUNDS || 24 },
  { name: "mariadb", flavor: "mariadb", gtid: true, rounds: ROUNDS || 44 },
];
const folders: string[] = [];
const peers: MysqlPeer[] = [];
afterAll(async () => {
  for (const peer of peers) await peer.stop();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** One of our lives: offsets that surely belong to it. */
interface Life {
  from: number;
  to: number;
}
class Faults {
  readonly #c: Case;
  readonly #peer: MysqlPeer;
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #random: () => number;
  readonly lives: Life[] = [];
  readonly counts = new Map<string, number>();
  readonly #seconds = new Map<string, number>();
  #process: MillraceProcess | null = null;

  constructor(c: Case, peer: MysqlPeer, folder: string, ports: readonly number[], random: () => number) {
    this.#c = c;
    this.#peer = peer;
    this.#folder = folder;
    this.#ports = ports;
    this.#random = random;
  }
  get topic(): string {
    return `${this.#c.name}.${this.#c.name}.t`;
  }
  get process(): MillraceProcess {
    if (this.#process === null) throw new Error("no process");
    return this.#process;
  }
  async start(): Promise<void> {
    this.#process = await startMillrace(join(this.#folder, "data"), this.#ports[0] ?? 0, this.#ports[1] ?? 0, OVERRIDES);
  }
  async post(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { name, flavor } = this.#c;
    await putConnector(this.process.rest, name, {
      "connector.class": `io.debezium.connector.${flavor}.${flavor === "mysql" ? "MySqlConnector" : "MariaDbConnector"}`,
      "database.hostname": this.#peer.host,
      "database.port": String(this.#peer.port),
      "database.user": this.#peer.user,
      "database.password": this.#peer.password,
      "database.server.id": "7701",
      "topic.prefix": name,
      "database.include.list": name,
      "table.include.list": `${name}\\.t`,
      "schema.history.internal.kafka.bootstrap.servers": this.process.bootstrap,
      "schema.history.internal.kafka.topic": `${name}.history`,
      "key.converter": J,
      "value.converter": J,
      "key.converter.schemas.enable": "false",
      "value.converter.schemas.enable": "false",
      ...more,
    });
  }
  /** Offset behind the last event that came; 0 without any. */
  async end(): Promise<number> {
    const admin = await createKafkaClients().admin({ "bootstrap.servers": this.process.bootstrap });
    try {
      return Math.max(0, (await admin.endOffsets([{ topic: this.topic, partition: 0 }]))[0] ?? 0);
    } catch {
      return 0;
    } finally {
      await admin.close();
    }
  }
  async round(): Promise<void> {
    const kind = this.#random();
    const [name, fault] =
      kind < 0.4
        ? (["killed", () => this.#killed()] as const)
        : kind < 0.65
          ? (["server killed", () => this.#serverKilled()] as const)
          : kind < 0.8
            ? (["log rotated", () => this.#sql("FLUSH BINARY LOGS")] as const)
            : (["reader cut off", () => this.#cutOff()] as const);
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    const begun = performance.now();
    await fault();
    this.#seconds.set(name, (this.#seconds.get(name) ?? 0) + (performance.now() - begun) / 1000);
    await sleep(this.#random() * 250);
  }
  async #killed(): Promise<void> {
    const random = this.#random;
    // At a mark in the stream, or at any moment of the start.
    if (random() < 0.7) {
      const goal = (await this.end()) + Math.floor(random() * 300);
      for (const limit = Date.now() + 2500; Date.now() < limit && (await this.end()) < goal; ) await sleep(5);
    }
    const life = this.lives.at(-1);
    if (life !== undefined) life.to = await this.end();
    await this.process.kill();
    await sleep(random() * 300);
    await this.start();
    await sleep(50);
    const from = await this.end();
    this.lives.push({ from, to: Number.POSITIVE_INFINITY });
  }
  async #serverKilled(): Promise<void> {
    await this.#peer.kill();
    await sleep(this.#random() * 200);
    await this.#peer.start();
  }
  async #sql(statement: string): Promise<void> {
    const sql = await this.#peer.connect();
    await sql.query(statement);
    sql.destroy();
  }
  async #cutOff(): Promise<void> {
    const sql = await this.#peer.connect();
    const [rows] = await sql.query<RowDataPacket[]>("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'");
    for (const r of rows) await sql.query(`KILL ${Number(r["ID"])}`).catch(() => null);
    sql.destroy();
  }
  /** Throws when the connector has failed. */
  async alive(): Promise<void> {
    const states = await connectorStates(this.process.rest);
    if (states.includes('"FAILED"')) throw new Error(`${states}\n${this.process.output()}`);
    await sleep(100);
  }
  /** Reads the topic once a row that was written last is in it. */
  async settled(load: ChangingLoad): Promise<Seen> {
    const last = await load.mark();
    let seen = await readTopic(this.process.bootstrap, this.topic);
    for (const limit = Date.now() + 60_000; !seen.created.has(last); seen = await readTopic(this.process.bootstrap, this.topic)) {
      await this.alive();
      if (Date.now() > limit) throw new Error(`row ${last} does not come\n${this.process.output()}`);
    }
    return seen;
  }
  get report(): string {
    return [...this.counts].map(([name, n]) => `${n} × ${name} (${(this.#seconds.get(name) ?? 0).toFixed(0)} s)`).join(", ");
  }
  async close(): Promise<void> {
    await this.#process?.stop();
  }
}

describe.each(CASES)("$name", (c) => {
  test(`${c.rounds} faults while rows and definitions change (seed ${seed})`, async (context) => {
    const [port = 0, ...ports] = await freePorts(3);
    const start = c.flavor === "mysql" ? startMysql : startMariadb;
    const peer = await start({ port, gtid: c.gtid, arguments: DURABLE });
    if ("reason" in peer) return context.skip(peer.reason);
    peers.push(peer);
    if (peer.dataFolder === null) return context.skip("the given server is not ours to kill");
    const folder = await mkdtemp(join(tmpdir(), "millrace-faults-"));
    folders.push(folder);
    const random = seeded(seed);
    const load = new ChangingLoad(peer, c.name, seeded(seed + 1));
    await load.prepare();
    const faults = new Faults(c, peer, folder, ports, random);
    try {
      await faults.start();
      faults.lives.push({ from: 0, to: Number.POSITIVE_INFINITY });
      load.run();
      await faults.post();
      while ((await faults.end()) === 0) await faults.alive();
      // Rows that were gone before the snapshot do not come.
      load.inserted.clear();
      for (let round = 0; round < c.rounds; round++) await faults.round();
      await load.pause();
      const seen = await faults.settled(load);
      const rows = await load.rows();
      const missing = [...load.inserted].filter((id) => !seen.created.has(id));
      const again = seen.repeated.filter(([a, b]) => faults.lives.some((l) => a >= l.from && b < l.to));
      console.log(
        `${c.name}: ${load.statements} statements, ${load.definitions} definitions, ${seen.events} events, ${seen.repeated.length} of them again; ${faults.report}`,
      );
      expect(seen.wrong.slice(0, 5)).toEqual([]);
      expect(missing.slice(0, 5)).toEqual([]);
      expect([...rows].filter(([id, row]) => seen.rows.get(id) !== row).slice(0, 5)).toEqual([]);
      expect(seen.rows.size).toBe(rows.size);
      expect(again.slice(0, 5)).toEqual([]);
      expect(load.definitions).toBeGreaterThan(c.rounds);
    } finally {
      await load.stop();
      await faults.close();
    }
  }, 600_000);
});
