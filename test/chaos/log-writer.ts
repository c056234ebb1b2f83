/** The victim of log-kill.test.ts: appends as fast as it can and says on stdout what was acknowledged, until it is killed. */
import { writeSync } from "node:fs";
import { systemClock } from "#broker/base/clock";
import { silentLogger } from "#broker/base/logger";
import { fileDisk } from "#broker/log/store/file";
import { BatchBuilder } from "#broker/protocol/records/builder";
import { openLogManager } from "#broker/replication/log-manager";

const directory = process.argv[2];
if (directory === undefined) throw new Error("usage: log-writer DIRECTORY");
const manager = await openLogManager({
  dirs: [directory],
  disk: fileDisk,
  clock: systemClock,
  logger: silentLogger,
  clusterId: "AAAAAAAAQACAAAAAAAAAAA",
  nodeId: 1,
  brokerConfig: { "log.segment.bytes": "30000", "log.cleaner.backoff.ms": "20", "log.cleaner.min.cleanable.ratio": "0.01" },
  topicConfig: (topic) => (topic === "compacted" ? { "cleanup.policy": "compact" } : {}),
});
const topicId = "BBBBBBBBQACAAAAAAAAAAA";
const plain = manager.create("plain", 0, { topicId, config: {} });
const compacted = manager.create("compacted", 0, { topicId, config: { "cleanup.policy": "compact" } });

for (;;) {
  const sequence = plain.logEndOffset;
  const batch = (key: string): Buffer => {
    const builder = new BatchBuilder({ producerId: 1, producerEpoch: 0, baseSequence: sequence });
    builder.append(Date.now(), Buffer.from(key), Buffer.from(`v${sequence}`), []);
    return builder.build(sequence % 2 === 0 ? "none" : "gzip");
  };
  plain.append(batch(`k${sequence}`), { origin: "client" });
  writeSync(1, `plain ${sequence}\n`);
  if (compacted.logEndOffset <= sequence) {
    const builder = new BatchBuilder();
    builder.append(Date.now(), Buffer.from(`k${sequence % 10}`), Buffer.from(`v${sequence}`), []);
    compacted.append(builder.build("none"), { origin: "client" });
    writeSync(1, `compacted k${sequence % 10} v${sequence}\n`);
  }
  if (sequence % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
}
