/**
 * Java consumers roll from the classic protocol to that of KIP-848 and back, in one group, while records come in: the group is at each
 * step what it is over Apache Kafka, and nothing is left unread.
 */
import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileJava } from "../peers/java.ts";
import { APACHE, type BrokerKind, OURS, type TestBroker, title } from "./client-brokers.ts";

const kinds: readonly BrokerKind[] = [OURS, ...APACHE.slice(0, 1)];
const java = compileJava("GroupRollover");

const ASSIGNORS = "org.apache.kafka.clients.consumer";
const DYNAMIC = [
  "two classic: Classic Stable {unknown=2}",
  "a consumer joins: Consumer Stable {classic=2, consumer=1}",
  "a classic one leaves: Consumer Stable {classic=1, consumer=1}",
  "a classic one joins: Consumer Stable {classic=2, consumer=1}",
  "only consumers: Consumer Stable {consumer=2}",
  "a classic one joins consumers: Consumer Stable {classic=1, consumer=2}",
  "a consumer leaves: Consumer Stable {classic=1, consumer=1}",
  "the last consumer leaves: Classic Stable {unknown=1}",
  "not consumed: 0",
];
const STATIC = [DYNAMIC[0], "the first static one is replaced: Consumer Stable {classic=1, consumer=1}", ...DYNAMIC.slice(4)];
const RUNS = [
  { program: [`${ASSIGNORS}.CooperativeStickyAssignor`], steps: DYNAMIC },
  { program: [`${ASSIGNORS}.RangeAssignor`, "static"], steps: STATIC },
];

for (const [index, kind] of kinds.entries()) {
  const skipped = kind.skipped === "" ? java.reason : kind.skipped;
  describe.skipIf(skipped !== "")(`a rolling change of protocol over ${title(kind)} ${skipped}`, { timeout: 240_000 }, () => {
    let broker: TestBroker;
    beforeAll(async () => {
      broker = await kind.start(27_600 + index * 20);
    });
    afterAll(() => broker?.stop());

    test.each(RUNS)("$program", async ({ program, steps }) => {
      const child = spawn("java", [...java.options, "GroupRollover", broker.bootstrap, ...program], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => {
        out += chunk.toString();
      });
      await new Promise((resolve) => child.once("exit", resolve));
      expect(out.trim().split("\n")).toEqual(steps);
    });
  });
}
