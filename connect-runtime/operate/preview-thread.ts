/** The thread of a preview: reads records, shows what they become, writes nothing. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import type { SinkRecord, SourceRecord } from "../api/record.ts";
import { addThirdParty, catalog } from "../catalog/catalog.ts";
import type { ThirdPartyPlugin } from "../worker/types.ts";
import { createConverters, missingClass } from "../worker/converters.ts";
import { RecordReader } from "../worker/record-reader.ts";
import { kafkaClients } from "../worker/thread-clients.ts";
import { messageOf } from "../worker/trace.ts";
import { createSteps, TransformChain } from "../worker/transform-chain.ts";
import { ConnectError } from "../api/errors.ts";
import type { DiagnosisJob, Job, PreviewAnswer, Previewed, PreviewJob, ThreadAnswer } from "./preview.ts";
import { shownBytes, shownSinkRecord } from "./shown-record.ts";
import { readTopics } from "./topic-peek.ts";
import { triedRecords } from "./tried-transforms.ts";

const READ_MS = 20_000;

async function source(job: PreviewJob): Promise<PreviewAnswer> {
  const { config, worker, limit } = job;
  const plugin = await catalog.connector(config["connector.class"] ?? "");
  if (plugin === null) throw missingClass("Connector", config["connector.class"] ?? "");
  const diagnosis = await plugin.diagnosis?.();
  if (diagnosis?.preview === undefined) {
    throw new ConnectError(
      `${config["connector.class"] ?? "This connector"} cannot read records without leaving traces, so it has no preview`,
    );
  }
  const chain = new TransformChain<SourceRecord>(await createSteps(catalog, config));
  const { key, value, header } = await createConverters(catalog, config, worker);
  const records: Previewed[] = [];
  let dropped = 0;
  const show = (record: SourceRecord): void => {
    let stage = "TRANSFORMATION";
    const className = (): string =>
      stage === "TRANSFORMATION" ? (chain.steps[chain.at]?.className ?? "") : stage === "KEY_CONVERTER" ? key.className : value.className;
    try {
      const out = chain.apply(record);
      if (out === null) return void dropped++;
      stage = "KEY_CONVERTER";
      const k = key.plugin.fromConnect(out.topic, out.keySchema, out.key);
      stage = "VALUE_CONVERTER";
      const v = value.plugin.fromConnect(out.topic, out.valueSchema, out.value);
      records.push({
        topic: out.topic,
        partition: out.partition,
        key: shownBytes(k),
        value: shownBytes(v),
        timestamp: out.timestamp,
        headers: out.headers.map((h) => ({
          key: h.key,
          value: shownBytes(header.plugin.fromConnectHeader(out.topic, h.key, h.schema, h.value)),
        })),
        source_partition: record.sourcePartition,
        source_offset: record.sourceOffset,
      });
    } catch (error) {
      records.push({ error: messageOf(error), stage, class: className(), topic: record.topic });
    }
  };
  for await (const batch of diagnosis.preview(config, limit, AbortSignal.timeout(READ_MS))) {
    for (const record of batch) if (records.length + dropped < limit) show(record);
    if (records.length + dropped >= limit) break;
  }
  return { records, dropped };
}
async function sink(job: PreviewJob): Promise<PreviewAnswer> {
  const { config, worker, limit } = job;
  const chain = new TransformChain<SinkRecord>(await createSteps(catalog, config));
  const reader = new RecordReader(chain, await createConverters(catalog, config, worker));
  const records: Previewed[] = [];
  let dropped = 0;
  for (const consumed of await readTopics(kafkaClients(systemClock, silentLogger), job.consumer, config, limit)) {
    try {
      const read = reader.read(consumed);
      if (read === null) dropped++;
      else records.push(shownSinkRecord(read));
    } catch (error) {
      records.push({ error: messageOf(error), stage: reader.stage, class: reader.stageClass(), topic: consumed.topic });
    }
  }
  return { records, dropped };
}
/** Null: this connector has nothing to say. */
async function asked({ config, ask }: DiagnosisJob): Promise<unknown> {
  const plugin = await catalog.connector(config["connector.class"] ?? "");
  if (plugin === null) throw missingClass("Connector", config["connector.class"] ?? "");
  const diagnosis = await plugin.diagnosis?.();
  const signal = AbortSignal.timeout(READ_MS);
  switch (ask.method) {
    case "check":
      return (await diagnosis?.check(config, signal)) ?? null;
    case "position":
      return (await diagnosis?.position?.(config, ask.offset, signal)) ?? null;
    case "leftovers":
      return (await diagnosis?.leftovers?.(config, signal)) ?? null;
    case "remove":
      if (diagnosis?.remove === undefined) throw new ConnectError("the connector cannot remove it; run the statements by hand");
      await diagnosis.remove(config, ask.leftover, signal);
      return null;
  }
}
async function run(job: Job): Promise<ThreadAnswer> {
  try {
    if (job.kind === "diagnosis") return { ok: true, answer: await asked(job) };
    if (job.kind === "transforms") return { ok: true, answer: await triedRecords(job) };
    const plugin = await catalog.connector(job.config["connector.class"] ?? "");
    return { ok: true, answer: plugin?.kind === "sink" ? await sink(job) : await source(job) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}
const { plugins, ...job }: Job & { readonly plugins: readonly ThirdPartyPlugin[] } = workerData;
if (plugins.length > 0) addThirdParty(plugins);
parentPort?.postMessage(await run(job));
