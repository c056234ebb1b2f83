/**
 * docs/protocol-coverage.md is what a running broker announces. UPDATE_DOCS=1 writes it anew.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startBroker } from "#broker/broker";
import { apis } from "#broker/protocol/apis";
import { decodeResponse, encodeRequest } from "#broker/protocol/frame";
import { apiVersions } from "#broker/protocol/messages/api-versions";

const DOC = join(import.meta.dirname, "../../docs/protocol-coverage.md");

/** Versions that Apache Kafka 4.1 announces and we do not, and why. */
const REASONS: Readonly<Record<string, string>> = {
  Produce: "0–2 are announced by Kafka for old librdkafka's sake and refused when used; we announce them too, and refuse them",
};
const ABSENT: readonly (readonly [string, string])[] = [
  ["LeaderAndIsr, StopReplica, UpdateMetadata, ControlledShutdown (4–7)", "removed from Kafka 4.0"],
  [
    "CreateDelegationToken … DescribeDelegationToken (38–41)",
    "deliberately: they exist to spare brokers a key distribution centre, which this one does not ask; SCRAM and OAUTHBEARER serve short-lived logins",
  ],
  [
    "Vote, BeginQuorumEpoch, EndQuorumEpoch, FetchSnapshot, AddRaftVoter, RemoveRaftVoter (52–54, 59, 80, 81)",
    "between controllers; there is one node",
  ],
  [
    "GetTelemetrySubscriptions, PushTelemetry (71, 72)",
    "clients use them unasked as soon as they are announced; Kafka itself announces them only with a plugin",
  ],
  ["ShareGroupHeartbeat … AlterShareGroupOffsets (76–79, 83–92)", "not yet: share.version is told as absent, so that clients do not ask"],
  ["StreamsGroupHeartbeat, StreamsGroupDescribe (88, 89)", "early access in Kafka 4.1, off by default"],
];

async function announced(port: number): Promise<ReadonlyMap<number, readonly [number, number]>> {
  const socket = createConnection(port, "127.0.0.1");
  const frame = await new Promise<Buffer>((resolve, reject) => {
    let got = Buffer.alloc(0);
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (got.length >= 4 && got.length >= 4 + got.readInt32BE(0)) resolve(got.subarray(4));
    });
    socket.write(encodeRequest(apiVersions, 3, 1, "coverage", { clientSoftwareName: "test", clientSoftwareVersion: "1" }));
  });
  socket.destroy();
  return new Map(decodeResponse(apiVersions, 3, frame).body.apiKeys.map((k) => [k.apiKey, [k.minVersion, k.maxVersion]]));
}

test("the document is what the broker announces", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-coverage-"));
  const broker = await startBroker({ listeners: "PLAINTEXT://127.0.0.1:0", "log.dirs": folder });
  const served = await announced(broker.port);
  await broker.close();
  await rm(folder, { recursive: true, force: true });
  expect(served.size).toBeGreaterThan(20);
  const rows = apis.map((a) => {
    const range = served.get(a.key);
    return `| ${a.key} | ${a.name} | ${a.versions[0]}–${a.versions[1]} | ${range === undefined ? "not served" : `${range[0]}–${range[1]}`} | ${REASONS[a.name] ?? ""} |`;
  });
  const text = [
    "# Requests and versions",
    "",
    "Generated from a running broker (`UPDATE_DOCS=1 npx vitest run test/integration/protocol-coverage`); a test compares. The versions of the",
    "schema are those of Apache Kafka 4.1.",
    "",
    "| key | API | in the schema | announced | remark |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "## Absent",
    "",
    "| API | why |",
    "|---|---|",
    ...ABSENT.map(([name, why]) => `| ${name} | ${why} |`),
    "",
  ].join("\n");
  if (process.env["UPDATE_DOCS"] === "1") await writeFile(DOC, text);
  expect(await readFile(DOC, "utf8")).toBe(text);
});
