import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { type Controller, openController } from "#broker/controller/controller";
import { createTopics } from "#broker/controller/topics";
import { registration } from "#broker/controller/registration";
import { systemRandom, randomUuid } from "#broker/base/random";
import { alterQuotas } from "#broker/controller/quotas";
import { alterScram } from "#broker/controller/scram";
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecord } from "#broker/controller/metadata-record";
import { configRecord, featureLevelRecord } from "#broker/protocol/state/metadata-records";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "metadata-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const open = (compactAboveBytes = 1 << 30): Controller =>
  openController({ dataDirectory: folder, clock: systemClock, logger: silentLogger, compactAboveBytes }).controller;
const defaults = { numPartitions: 2, replicationFactor: 1, newTopicId: () => randomUuid(), directoryId: randomUuid() };
const logFile = (): string => {
  const directory = join(folder, "__cluster_metadata-0");
  const name = readdirSync(directory).findLast((file) => file.endsWith(".log"));
  return join(directory, name ?? "");
};
function create(controller: Controller, name: string): void {
  const configs = [{ name: "retention.ms", value: "1" }];
  controller.commit(
    createTopics(controller.image, [{ name, numPartitions: -1, replicationFactor: -1, assignments: [], configs }], defaults),
  );
}
function fill(controller: Controller): void {
  controller.commit(
    registration(controller.image, {
      nodeId: 1,
      rack: "r1",
      endpoints: [{ name: "P", host: "h", port: 1 }],
      features: [],
      random: systemRandom,
    }),
  );
  for (const name of ["a", "b", "c"]) create(controller, name);
  controller.commit(
    alterQuotas([{ entity: [{ entityType: "user", entityName: null }], ops: [{ key: "request_percentage", value: 2.5, remove: false }] }]),
  );
  const credential = { name: "u", mechanism: 1, iterations: 4096, salt: Buffer.from("s"), saltedPassword: Buffer.from("p") };
  controller.commit(alterScram(controller.image, [], [credential]));
}
const said = ({ image }: Controller): unknown => [
  [...image.topics.values()],
  [...image.brokers.values()],
  [...image.scram.values()],
  [...image.quotas.values()],
  image.configs(2, "b"),
];

describe("metadata log", () => {
  test("what was committed is there after a restart, also through a snapshot", () => {
    const first = open();
    fill(first);
    const before = said(first);
    const end = first.logEndOffset;
    first.close();
    const second = open(1);
    expect(said(second)).toEqual(before);
    expect(readdirSync(join(folder, "__cluster_metadata-0")).sort()).toEqual([
      `${String(end).padStart(20, "0")}-0000000001.checkpoint`,
      `${String(end).padStart(20, "0")}.log`,
    ]);
    create(second, "d");
    const after = said(second);
    second.close();
    const third = open();
    expect(said(third)).toEqual(after);
    expect(third.logEndOffset).toBe(second.logEndOffset);
    third.close();
  });
  test("a torn last batch is cut off, wherever it was torn", () => {
    const first = open();
    fill(first);
    const before = said(first);
    const whole = readFileSync(logFile()).length;
    create(first, "torn");
    first.close();
    const all = readFileSync(logFile());
    for (let size = whole; size < all.length; size += 7) {
      writeFileSync(logFile(), all);
      truncateSync(logFile(), size);
      const again = open();
      expect(said(again)).toEqual(before);
      create(again, "next");
      again.close();
      const last = open();
      expect([...last.image.topics.keys()]).toContain("next");
      last.close();
    }
  });
  test("damage before the end is an error that names file and place, and nothing is cut", () => {
    const first = open();
    fill(first);
    first.close();
    const bytes = readFileSync(logFile());
    bytes[100] = (bytes[100] ?? 0) ^ 0xff;
    writeFileSync(logFile(), bytes);
    expect(() => open()).toThrow(/00000000000000000000\.log is damaged at byte/);
    expect(readFileSync(logFile()).length).toBe(bytes.length);
  });
  test("a log that also holds garbage after the last batch starts", () => {
    const first = open();
    fill(first);
    const before = said(first);
    first.close();
    appendFileSync(logFile(), Buffer.alloc(40));
    const again = open();
    expect(said(again)).toEqual(before);
    again.close();
  });
  test("records are framed as KRaft frames them", () => {
    // Taken from the metadata log of Apache Kafka 4.1.
    const feature = Buffer.from("010c00116d657461646174612e76657273696f6e001b00", "hex");
    expect(encodeMetadataRecord(metadataRecord(featureLevelRecord, { name: "metadata.version", featureLevel: 27 })).toString("hex")).toBe(
      feature.toString("hex"),
    );
    expect(decodeMetadataRecord(feature)?.value).toEqual({ name: "metadata.version", featureLevel: 27 });
    const config = Buffer.from("010400040114 6d696e2e696e73796e632e7265706c69636173 0231 00".replaceAll(" ", ""), "hex");
    expect(decodeMetadataRecord(config)).toMatchObject({
      type: configRecord,
      value: { resourceType: 4, resourceName: "", name: "min.insync.replicas", value: "1" },
    });
  });
});
