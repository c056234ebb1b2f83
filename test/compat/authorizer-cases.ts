/** What a user without, and with some, rights is told: asked of a real Kafka and of our broker alike. */
import { setTimeout as sleep } from "node:timers/promises";
import * as m from "#broker/protocol/messages/index";
import type { Api, Encodable, RequestOf } from "#broker/protocol/schema";
import { BatchBuilder } from "#broker/protocol/records/builder";
import { WireClient } from "../wire/wire-client.ts";

const TOPIC = 2;
const GROUP = 3;
const CLUSTER = 4;
const TXN = 5;
const LITERAL = 3;
const PREFIXED = 4;
const ALLOW = 3;
const ANSWER_MS = 5000;
const DENY = 2;
const op = {
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
};

type Ask = <A extends Api>(api: A, body: Encodable<RequestOf<A>>, version?: number) => Promise<unknown>;
export interface Answers {
  readonly [name: string]: unknown;
}
type Rule = readonly [
  type: number,
  name: string,
  operation: number,
  permission?: number,
  pattern?: number,
  principal?: string,
  host?: string,
];

/** Fields that say who may what; the rest may differ between two brokers. */
const TOLD =
  /ErrorCode$|^errorCode$|AuthorizedOperations$|^authorizedOperations$|^(name|topic|topicName|groupId|transactionalId|key|resourceName|user|principal|host|operation|permissionType|patternType|numPartitions|replicationFactor|transactionState|groupState|isInternal)$/;
function told(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(told).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  const kept: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    const inner = told(each);
    if (TOLD.test(key)) kept[key] = each;
    else if (inner !== undefined && key !== "brokers" && key !== "nodes") kept[key] = inner;
  }
  return kept;
}
async function login(port: number, user: string): Promise<WireClient> {
  const client = await WireClient.open(port);
  await client.send(m.saslHandshake, 1, { mechanism: "PLAIN" });
  const { errorCode } = await client.send(m.saslAuthenticate, 2, { authBytes: Buffer.from(`\0${user}\0${user}-secret`) });
  if (errorCode !== 0) throw new Error(`${user} cannot log in`);
  return client;
}
const asker =
  (client: WireClient): Ask =>
  async (api, body, version) => {
    const limit = VERSIONS.get(api.key) ?? api.versions[1];
    return told(await client.send(api, version ?? limit, body));
  };
/** Where the newest version asks by topic id. */
const VERSIONS = new Map<number, number>([
  [m.produce.key, 12],
  [m.fetch.key, 12],
]);

function batch(transactional: boolean): Buffer {
  const builder = new BatchBuilder(transactional ? { producerId: 4000, producerEpoch: 0, baseSequence: 0, transactional: true } : {});
  builder.append(1_700_000_000_000, null, Buffer.from("x"), []);
  return builder.build("none");
}
const write = (topics: readonly string[], transactionalId: string | null = null): Encodable<RequestOf<typeof m.produce>> => ({
  acks: -1,
  timeoutMs: 5000,
  transactionalId,
  topicData: topics.map((name) => ({ name, partitionData: [{ index: 0, records: batch(transactionalId !== null) }] })),
});
const read = (topics: readonly string[]): Encodable<RequestOf<typeof m.fetch>> => ({
  maxWaitMs: 1,
  minBytes: 0,
  maxBytes: 1000,
  sessionEpoch: -1,
  topics: topics.map((topic) => ({ topic, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }] })),
});
const named = (names: readonly string[], autoCreate = false): Encodable<RequestOf<typeof m.metadata>> => ({
  topics: names.map((name) => ({ name })),
  allowAutoTopicCreation: autoCreate,
  includeTopicAuthorizedOperations: true,
});
const fresh = (names: readonly string[]): Encodable<RequestOf<typeof m.createTopics>> => ({
  topics: names.map((name) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })),
  timeoutMs: 5000,
});

/** `plainPort` is for ANONYMOUS, who is a super user; `saslPort` takes alice by PLAIN. */
export async function authorizerAnswers(plainPort: number, saslPort: number): Promise<Answers> {
  const root = await WireClient.open(plainPort);
  const alice = await login(saslPort, "alice");
  const ask = asker(alice);
  const answers: Record<string, unknown> = {};
  const note = async (name: string, answer: Promise<unknown>): Promise<void> => {
    answers[name] = await Promise.race([answer, sleep(ANSWER_MS, "no answer")]).catch((error: unknown) => String(error));
  };
  const grant = async (...rules: readonly Rule[]): Promise<void> => {
    const creations = rules.map(
      ([
        resourceType,
        resourceName,
        operation,
        permissionType = ALLOW,
        resourcePatternType = LITERAL,
        principal = "User:alice",
        host = "*",
      ]) => ({
        resourceType,
        resourceName,
        resourcePatternType,
        principal,
        host,
        operation,
        permissionType,
      }),
    );
    const { results } = await root.send(m.createAcls, 3, { creations });
    if (results.some(({ errorCode }) => errorCode !== 0)) throw new Error("grant failed");
    await sleep(300);
  };
  const clear = async (): Promise<void> => {
    await root.send(m.deleteAcls, 3, {
      filters: [
        {
          resourceTypeFilter: 1,
          resourceNameFilter: null,
          patternTypeFilter: 1,
          principalFilter: null,
          hostFilter: null,
          operation: 1,
          permissionType: 1,
        },
      ],
    });
    await sleep(300);
  };
  try {
    await clear();
    await root.send(m.createTopics, 7, fresh(["a1", "a2", "b1", "gone"]));
    await sleep(300);
    await coordinatorReady(root);
    await withoutRights(ask, note);
    await grant([TOPIC, "a", op.WRITE, ALLOW, PREFIXED], [GROUP, "g", op.READ], [TXN, "t", op.WRITE]);
    await someRights(ask, note);
    await grant([TOPIC, "a2", op.WRITE, DENY], [TOPIC, "a1", op.READ], [TOPIC, "b1", op.ALTER_CONFIGS], [GROUP, "g2", op.DELETE]);
    await denied(ask, note);
    await clear();
    await grant(
      [TOPIC, "*", op.DESCRIBE],
      [TOPIC, "new", op.CREATE, ALLOW, PREFIXED],
      [TOPIC, "gone", op.DELETE],
      [CLUSTER, "kafka-cluster", op.DESCRIBE],
    );
    await describing(ask, note);
    await clear();
    await grant(
      [TOPIC, "a1", op.ALL, ALLOW, LITERAL, "User:*", "127.0.0.1"],
      [TOPIC, "b1", op.ALL, ALLOW, LITERAL, "User:alice", "10.0.0.1"],
      [TOPIC, "*", op.READ, DENY],
      [CLUSTER, "kafka-cluster", op.ALTER],
    );
    await hostsAndWildcards(ask, note);
    return answers;
  } finally {
    root.close();
    alice.close();
  }
}
async function coordinatorReady(root: WireClient): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const groups = await root.send(m.findCoordinator, 4, { keyType: 0, coordinatorKeys: ["g"] });
    const ids = await root.send(m.findCoordinator, 4, { keyType: 1, coordinatorKeys: ["t"] });
    const fetched = await root.send(m.offsetFetch, 8, { groups: [{ groupId: "g", topics: null }] });
    const producer = await root.send(m.initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 });
    const ready = producer.errorCode === 0;
    if (ready && groups.coordinators[0]?.errorCode === 0 && ids.coordinators[0]?.errorCode === 0 && fetched.groups[0]?.errorCode === 0)
      return;
    await sleep(100);
  }
  throw new Error("no coordinator");
}
type Note = (name: string, answer: Promise<unknown>) => Promise<void>;

async function withoutRights(ask: Ask, note: Note): Promise<void> {
  await note("none: produce", ask(m.produce, write(["a1", "missing"])));
  await note("none: produce in a transaction", ask(m.produce, write(["a1"], "t")));
  await note("none: fetch", ask(m.fetch, read(["a1", "missing"])));
  await note("none: list offsets", ask(m.listOffsets, { topics: [{ name: "a1", partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }));
  await note("none: metadata of all", ask(m.metadata, { topics: null, includeTopicAuthorizedOperations: true }));
  await note("none: metadata by name", ask(m.metadata, named(["a1", "missing", "bad name"], true)));
  await note("none: cluster", ask(m.describeCluster, { includeClusterAuthorizedOperations: true, endpointType: 1 }));
  await note(
    "none: topic partitions",
    ask(m.describeTopicPartitions, { topics: [{ name: "a1" }, { name: "missing" }], responsePartitionLimit: 10 }),
  );
  await note("none: create topics", ask(m.createTopics, fresh(["n1", "a1", "bad name"])));
  await note("none: delete topics", ask(m.deleteTopics, { topics: [{ name: "a1" }, { name: "missing" }], timeoutMs: 1000 }));
  await note(
    "none: create partitions",
    ask(m.createPartitions, {
      topics: [
        { name: "a1", count: 2, assignments: null },
        { name: "missing", count: 2, assignments: null },
      ],
      timeoutMs: 1000,
    }),
  );
  await note(
    "none: delete records",
    ask(m.deleteRecords, { topics: [{ name: "a1", partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 1000 }),
  );
  await note(
    "none: leader epoch",
    ask(m.offsetForLeaderEpoch, { replicaId: -2, topics: [{ topic: "a1", partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
  );
  await note(
    "none: describe configs",
    ask(m.describeConfigs, {
      resources: [2, 4, 8, 32].map((resourceType) => ({
        resourceType,
        resourceName: resourceType === 2 ? "a1" : "1",
        configurationKeys: ["cleanup.policy"],
      })),
    }),
  );
  await note(
    "none: alter configs",
    ask(m.incrementalAlterConfigs, {
      resources: [2, 4, 32].map((resourceType) => ({ resourceType, resourceName: resourceType === 2 ? "a1" : "1", configs: [] })),
    }),
  );
  await note(
    "none: old alter configs",
    ask(m.alterConfigs, {
      resources: [2, 4].map((resourceType) => ({ resourceType, resourceName: resourceType === 2 ? "a1" : "1", configs: [] })),
    }),
  );
  await note("none: log folders", ask(m.describeLogDirs, { topics: null }));
  await note("none: producers", ask(m.describeProducers, { topics: [{ name: "a1", partitionIndexes: [0] }] }));
  await note(
    "none: quorum",
    ask(m.describeQuorum, { topics: [{ topicName: "__cluster_metadata", partitions: [{ partitionIndex: 0 }] }] }, 1),
  );
  await note(
    "none: describe acls",
    ask(m.describeAcls, {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }),
  );
  await note(
    "none: create acls",
    ask(m.createAcls, {
      creations: [
        { resourceType: TOPIC, resourceName: "a1", principal: "User:alice", host: "*", operation: op.ALL, permissionType: ALLOW },
      ],
    }),
  );
  await note(
    "none: delete acls",
    ask(m.deleteAcls, {
      filters: [
        {
          resourceTypeFilter: 1,
          resourceNameFilter: null,
          patternTypeFilter: 1,
          principalFilter: null,
          hostFilter: null,
          operation: 1,
          permissionType: 1,
        },
      ],
    }),
  );
  await note("none: describe scram", ask(m.describeUserScramCredentials, { users: [] }));
  await note("none: alter scram", ask(m.alterUserScramCredentials, { deletions: [{ name: "x", mechanism: 1 }], upsertions: [] }));
  await note("none: describe quotas", ask(m.describeClientQuotas, { components: [], strict: false }));
  await note(
    "none: alter quotas",
    ask(m.alterClientQuotas, { entries: [{ entity: [{ entityType: "user", entityName: "x" }], ops: [] }], validateOnly: true }),
  );
  await note("none: features", ask(m.updateFeatures, { timeoutMs: 1000, featureUpdates: [], validateOnly: true }));
  await note("none: elect", ask(m.electLeaders, { electionType: 0, topicPartitions: [{ topic: "a1", partitions: [0] }], timeoutMs: 1000 }));
  await note(
    "none: reassign",
    ask(m.alterPartitionReassignments, { timeoutMs: 1000, topics: [{ name: "a1", partitions: [{ partitionIndex: 0, replicas: [1] }] }] }),
  );
  await note("none: reassignments", ask(m.listPartitionReassignments, { timeoutMs: 1000, topics: null }));
  await note("none: config resources", ask(m.listConfigResources, { resourceTypes: [] }));
  await groupsWithoutRights(ask, note);
}
async function groupsWithoutRights(ask: Ask, note: Note): Promise<void> {
  const protocols = [{ name: "range", metadata: Buffer.alloc(0) }];
  await note("none: locate", ask(m.findCoordinator, { keyType: 0, coordinatorKeys: ["g", "h"] }));
  await note("none: locate transaction", ask(m.findCoordinator, { keyType: 1, coordinatorKeys: ["t"] }));
  await note(
    "none: join",
    ask(m.joinGroup, {
      groupId: "g",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: "",
      protocolType: "consumer",
      protocols,
    }),
  );
  await note(
    "none: sync",
    ask(m.syncGroup, { groupId: "g", generationId: 1, memberId: "m", protocolType: "consumer", protocolName: "range", assignments: [] }),
  );
  await note("none: heartbeat", ask(m.heartbeat, { groupId: "g", generationId: 1, memberId: "m" }));
  await note("none: leave", ask(m.leaveGroup, { groupId: "g", members: [{ memberId: "m" }] }));
  await note(
    "none: commit",
    ask(
      m.offsetCommit,
      { groupId: "g", topics: [{ name: "a1", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] }] },
      9,
    ),
  );
  await note("none: fetch offsets", ask(m.offsetFetch, { groups: [{ groupId: "g", topics: [{ name: "a1", partitionIndexes: [0] }] }] }, 9));
  await note("none: fetch offsets, version 7", ask(m.offsetFetch, { groupId: "g", topics: [{ name: "a1", partitionIndexes: [0] }] }, 7));
  await note("none: fetch offsets, version 1", ask(m.offsetFetch, { groupId: "g", topics: [{ name: "a1", partitionIndexes: [0] }] }, 1));
  await note("none: delete offsets", ask(m.offsetDelete, { groupId: "g", topics: [{ name: "a1", partitions: [{ partitionIndex: 0 }] }] }));
  await note("none: describe groups", ask(m.describeGroups, { groups: ["g"], includeAuthorizedOperations: true }));
  await note("none: list groups", ask(m.listGroups, {}));
  await note("none: delete groups", ask(m.deleteGroups, { groupsNames: ["g"] }));
  await note(
    "none: consumer heartbeat",
    ask(m.consumerGroupHeartbeat, {
      groupId: "g",
      memberId: "m1",
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ["a1"],
      topicPartitions: [],
    }),
  );
  await note("none: consumer describe", ask(m.consumerGroupDescribe, { groupIds: ["g"] }));
  await note("none: producer id", ask(m.initProducerId, { transactionalId: null, transactionTimeoutMs: 1000 }));
  await note("none: transactional producer id", ask(m.initProducerId, { transactionalId: "t", transactionTimeoutMs: 1000 }));
  await note(
    "none: add partitions",
    ask(
      m.addPartitionsToTxn,
      {
        v3AndBelowTransactionalId: "t",
        v3AndBelowProducerId: 1,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: [{ name: "a1", partitions: [0] }],
      },
      3,
    ),
  );
  await note(
    "none: add partitions, from a broker",
    ask(
      m.addPartitionsToTxn,
      {
        transactions: [
          { transactionalId: "t", producerId: 1, producerEpoch: 0, verifyOnly: false, topics: [{ name: "a1", partitions: [0] }] },
        ],
      },
      4,
    ),
  );
  await note("none: add offsets", ask(m.addOffsetsToTxn, { transactionalId: "t", producerId: 1, producerEpoch: 0, groupId: "g" }));
  await note("none: end", ask(m.endTxn, { transactionalId: "t", producerId: 1, producerEpoch: 0, committed: true }));
  await note(
    "none: commit in a transaction",
    ask(m.txnOffsetCommit, {
      transactionalId: "t",
      groupId: "g",
      producerId: 1,
      producerEpoch: 0,
      topics: [{ name: "a1", partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] }],
    }),
  );
  await note(
    "none: markers",
    ask(m.writeTxnMarkers, {
      markers: [
        { producerId: 1, producerEpoch: 0, transactionResult: true, topics: [{ name: "a1", partitionIndexes: [0] }], coordinatorEpoch: 0 },
      ],
    }),
  );
  await note("none: describe transactions", ask(m.describeTransactions, { transactionalIds: ["t"] }));
  await note("none: list transactions", ask(m.listTransactions, {}));
}

/** WRITE on a*, READ on group g, WRITE with transactional id t. */
async function someRights(ask: Ask, note: Note): Promise<void> {
  await note("some: produce", ask(m.produce, write(["a1", "b1", "axx"])));
  await note("some: fetch needs READ", ask(m.fetch, read(["a1", "b1"])));
  await note("some: metadata", ask(m.metadata, named(["a1", "b1", "amissing"])));
  await note("some: metadata would create", ask(m.metadata, named(["amissing2", "bmissing2"], true)));
  await note("some: metadata of all", ask(m.metadata, { topics: null, includeTopicAuthorizedOperations: true }));
  await note("some: all topic partitions", ask(m.describeTopicPartitions, { topics: [], responsePartitionLimit: 100 }));
  await note(
    "some: list offsets",
    ask(m.listOffsets, { topics: ["a1", "b1"].map((name) => ({ name, partitions: [{ partitionIndex: 0, timestamp: -2 }] })) }),
  );
  await note("some: delete topics", ask(m.deleteTopics, { topics: [{ name: "a1" }, { name: "b1" }], timeoutMs: 1000 }));
  await note(
    "some: describe configs",
    ask(m.describeConfigs, {
      resources: ["a1", "b1"].map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: ["cleanup.policy"] })),
    }),
  );
  await note("some: producer id", ask(m.initProducerId, { transactionalId: null, transactionTimeoutMs: 1000 }));
  await note(
    "some: commit",
    ask(
      m.offsetCommit,
      {
        groupId: "g",
        topics: ["a1", "b1"].map((name) => ({ name, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }] })),
      },
      9,
    ),
  );
  await note(
    "some: fetch offsets",
    ask(m.offsetFetch, { groups: [{ groupId: "g", topics: ["a1", "b1"].map((name) => ({ name, partitionIndexes: [0] })) }] }, 9),
  );
  await note(
    "some: delete offsets needs DELETE",
    ask(m.offsetDelete, { groupId: "g", topics: [{ name: "a1", partitions: [{ partitionIndex: 0 }] }] }),
  );
  await note("some: groups", ask(m.describeGroups, { groups: ["g", "h"], includeAuthorizedOperations: true }));
  await note(
    "some: add partitions",
    ask(
      m.addPartitionsToTxn,
      {
        v3AndBelowTransactionalId: "t",
        v3AndBelowProducerId: 1,
        v3AndBelowProducerEpoch: 0,
        v3AndBelowTopics: ["a1", "b1", "axx"].map((name) => ({ name, partitions: [0] })),
      },
      3,
    ),
  );
  await note("some: add offsets", ask(m.addOffsetsToTxn, { transactionalId: "t", producerId: 1, producerEpoch: 0, groupId: "h" }));
  await note(
    "some: heartbeat",
    ask(m.consumerGroupHeartbeat, {
      groupId: "g",
      memberId: "m1",
      memberEpoch: 0,
      rebalanceTimeoutMs: 1000,
      subscribedTopicNames: ["a1", "b1"],
      topicPartitions: [],
    }),
  );
  await note("some: list transactions", ask(m.listTransactions, {}));
}

/** As before, with DENY WRITE on a2, READ on a1, ALTER_CONFIGS on b1, DELETE of group g2. */
async function denied(ask: Ask, note: Note): Promise<void> {
  await note("deny: produce", ask(m.produce, write(["a1", "a2"])));
  await note("deny: a prefix still describes", ask(m.metadata, named(["a1", "a2", "b1"])));
  await note("deny: fetch", ask(m.fetch, read(["a1", "a2"])));
  await note("deny: producers", ask(m.describeProducers, { topics: ["a1", "a2"].map((name) => ({ name, partitionIndexes: [0] })) }));
  await note("deny: fetch all offsets", ask(m.offsetFetch, { groups: [{ groupId: "g", topics: null }] }, 9));
  await note(
    "deny: commit",
    ask(
      m.offsetCommit,
      {
        groupId: "g",
        topics: ["a1", "a2", "axx", "b1"].map((name) => ({
          name,
          partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: "" }],
        })),
      },
      9,
    ),
  );
  await note("deny: fetch all offsets again", ask(m.offsetFetch, { groups: [{ groupId: "g", topics: null }] }, 9));
  await note(
    "deny: describe configs",
    ask(m.describeConfigs, {
      resources: ["a1", "b1"].map((resourceName) => ({ resourceType: 2, resourceName, configurationKeys: ["cleanup.policy"] })),
    }),
  );
  await note(
    "deny: alter configs",
    ask(m.incrementalAlterConfigs, {
      resources: ["a1", "b1", "missing"].map((resourceName) => ({ resourceType: 2, resourceName, configs: [] })),
    }),
  );
  await note("deny: groups", ask(m.describeGroups, { groups: ["g", "g2"], includeAuthorizedOperations: true }));
  await note("deny: delete groups", ask(m.deleteGroups, { groupsNames: ["g2", "h"] }));
  await note("deny: delete offsets", ask(m.offsetDelete, { groupId: "g2", topics: [{ name: "a1", partitions: [{ partitionIndex: 0 }] }] }));
}

/** DESCRIBE everywhere, CREATE of new*, DELETE of gone, DESCRIBE of the cluster. */
async function describing(ask: Ask, note: Note): Promise<void> {
  await note("describe: create", ask(m.createTopics, fresh(["new1", "other"])));
  await note("describe: create twice", ask(m.createTopics, fresh(["new2", "new2", "a1"])));
  await note("describe: create by metadata", ask(m.metadata, named(["other2"], true)));
  await note("describe: delete", ask(m.deleteTopics, { topics: [{ name: "gone" }, { name: "a1" }, { name: "missing" }], timeoutMs: 5000 }));
  await note("describe: cluster", ask(m.describeCluster, { includeClusterAuthorizedOperations: true, endpointType: 1 }));
  await note("describe: metadata", ask(m.metadata, { topics: [], includeClusterAuthorizedOperations: true }, 10));
  await note("describe: list groups", ask(m.listGroups, {}));
  await note(
    "describe: acls",
    ask(m.describeAcls, {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      patternTypeFilter: 1,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }),
  );
  await note(
    "describe: acls that match a name",
    ask(m.describeAcls, {
      resourceTypeFilter: TOPIC,
      resourceNameFilter: "newest",
      patternTypeFilter: 2,
      principalFilter: null,
      hostFilter: null,
      operation: 1,
      permissionType: 1,
    }),
  );
  await note(
    "describe: acls of a literal",
    ask(m.describeAcls, {
      resourceTypeFilter: TOPIC,
      resourceNameFilter: "gone",
      patternTypeFilter: LITERAL,
      principalFilter: "User:alice",
      hostFilter: "*",
      operation: 1,
      permissionType: ALLOW,
    }),
  );
  await note(
    "describe: create acls",
    ask(m.createAcls, {
      creations: [
        { resourceType: TOPIC, resourceName: "a1", principal: "User:alice", host: "*", operation: op.ALL, permissionType: ALLOW },
      ],
    }),
  );
}

/** ALL on a1 for everybody at 127.0.0.1, ALL on b1 from elsewhere, DENY READ everywhere, ALTER of the cluster. */
async function hostsAndWildcards(ask: Ask, note: Note): Promise<void> {
  await note("hosts: metadata", ask(m.metadata, named(["a1", "b1"])));
  await note("hosts: produce", ask(m.produce, write(["a1", "b1"])));
  await note("hosts: fetch", ask(m.fetch, read(["a1", "b1"])));
  await note("hosts: producer id", ask(m.initProducerId, { transactionalId: null, transactionTimeoutMs: 1000 }));
  await note("hosts: cluster", ask(m.describeCluster, { includeClusterAuthorizedOperations: true, endpointType: 1 }));
  const bad = (more: object) => ({
    resourceType: TOPIC,
    resourceName: "x",
    resourcePatternType: LITERAL,
    principal: "User:x",
    host: "*",
    operation: op.READ,
    permissionType: ALLOW,
    ...more,
  });
  await note(
    "hosts: acls that cannot be",
    ask(m.createAcls, {
      creations: [bad({ resourceName: "" }), bad({ principal: "x" }), bad({ resourceType: CLUSTER }), bad({}), bad({})],
    }),
  );
  await note(
    "hosts: delete acls",
    ask(m.deleteAcls, {
      filters: [
        {
          resourceTypeFilter: TOPIC,
          resourceNameFilter: "x",
          patternTypeFilter: 1,
          principalFilter: null,
          hostFilter: null,
          operation: 1,
          permissionType: 1,
        },
        {
          resourceTypeFilter: TOPIC,
          resourceNameFilter: "x",
          patternTypeFilter: 2,
          principalFilter: "User:x",
          hostFilter: null,
          operation: 1,
          permissionType: 1,
        },
      ],
    }),
  );
}
