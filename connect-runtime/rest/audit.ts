/**
 * Who changed what through REST: a line in the log, and, where asked for, a JSON line in `millrace.audit.file` or a record in
 * `millrace.audit.topic`. Configurations come masked.
 */
import { appendFile } from "node:fs/promises";
import type { Clock } from "#broker/base/clock";
import type { Logger } from "#broker/base/logger";
import type { KafkaClients, Producer } from "#broker/client/types";
import { clientConfig } from "../config.ts";
import type { ConfigMap } from "../worker/types.ts";
import type { Audit } from "./app.ts";

export interface AuditLog {
  readonly audit: Audit;
  close(): Promise<void>;
}
export interface AuditOptions {
  readonly config: ConfigMap;
  readonly clients: KafkaClients;
  readonly clock: Clock;
  readonly log: Logger;
}
const WAITING_MAX = 10_000;
const PARTITIONS = 1;

export function openAudit(options: AuditOptions): AuditLog {
  const { config, clock, log } = options;
  const file = config["millrace.audit.file"] ?? "";
  const topic = config["millrace.audit.topic"] ?? "";
  const sinks: ((key: string, line: string) => Promise<void>)[] = [];
  if (file !== "") sinks.push((_key, line) => appendFile(file, `${line}\n`, { mode: 0o600 }));
  const producer = topic === "" ? null : lazyProducer(options, topic);
  if (producer !== null) sinks.push(producer.send);
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  const write = (key: string, line: string): void => {
    if (sinks.length === 0) return;
    // The log has the entry already; a place that is away must not make the worker's memory grow.
    if (waiting >= WAITING_MAX) return log.error("an audit entry was not written: too many are waiting");
    waiting++;
    last = last.then(async () => {
      const results = await Promise.allSettled(sinks.map((sink) => sink(key, line)));
      waiting--;
      for (const r of results) if (r.status === "rejected") log.error(`an audit entry could not be written: ${String(r.reason)}`);
    });
  };
  return {
    audit({ request, address, status, changes, forwarded }) {
      const entry = {
        time: new Date(clock.now()).toISOString(),
        who: request.caller?.name ?? null,
        from: address,
        what: `${request.method} ${request.path}`,
        connector: request.params["name"] ?? null,
        status,
        ...(forwarded ? { forwarded } : {}),
        ...(changes === undefined ? {} : { changes }),
      };
      log.info(`REST: ${entry.what} by ${entry.who ?? "anonymous"} from ${address}: ${status}`, { audit: entry });
      write(entry.connector ?? "", JSON.stringify(entry));
    },
    async close() {
      await last;
      await producer?.close();
    },
  };
}
function lazyProducer(
  { config, clients }: AuditOptions,
  topic: string,
): { send: (key: string, line: string) => Promise<void>; close: () => Promise<void> } {
  let opened: Promise<Producer> | null = null;
  const open = async (): Promise<Producer> => {
    const admin = await clients.admin(clientConfig(config, "admin.", "audit"));
    try {
      const replicationFactor = Number(config["config.storage.replication.factor"] ?? "-1");
      if (!(await admin.describeTopics([topic])).has(topic))
        await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor }]);
    } finally {
      await admin.close();
    }
    return clients.producer({ ...clientConfig(config, "producer.", "audit"), acks: "all" });
  };
  return {
    async send(key, line) {
      opened ??= open();
      opened.catch(() => (opened = null));
      await (await opened).send(topic, null, Buffer.from(key), Buffer.from(line));
    },
    async close() {
      if (opened !== null) await (await opened).close();
    },
  };
}
