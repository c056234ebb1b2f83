/** The broker's numbers at one moment, under the names that the usual JMX exporter gives to Kafka's. Nothing is counted here. */
import type { Controller } from "./controller/controller.ts";
import type { Coordinators } from "./coordinator/types.ts";
import { Exposition, type Labels } from "./metrics/exposition.ts";
import type { RequestMetrics } from "./metrics/request-metrics.ts";
import type { Network } from "./network/network.ts";
import { errorName } from "./protocol/errors.ts";
import type { LogManager, PartitionTraffic } from "./replication/types.ts";

export interface MetricsSources {
  readonly nodeId: number;
  readonly clusterId: string;
  readonly controller: Controller;
  readonly logs: LogManager;
  readonly coordinators: Coordinators;
  readonly network: Network;
  readonly requests: RequestMetrics;
  readonly startedMs: number;
  /** Kafka's states: 1 starting, 3 running, 6 controlled shutdown. */
  readonly state: () => number;
}
export function metricsText(sources: MetricsSources): string {
  const out = new Exposition();
  writeServer(out, sources);
  writeController(out, sources);
  writeTraffic(out, sources);
  writeLogs(out, sources);
  writeNetwork(out, sources);
  writeGroups(out, sources);
  writeTransactions(out, sources);
  writeProcess(out, sources.startedMs);
  return out.text();
}

function writeServer(out: Exposition, { logs, state, nodeId, clusterId }: MetricsSources): void {
  let partitions = 0;
  for (const _ of logs.all()) partitions++;
  const offline = logs.directories().filter(({ error }) => error !== null).length;
  out.gauge("kafka_server_kafkaserver_brokerstate", "1 starting, 3 running, 6 controlled shutdown.", state());
  out.gauge("kafka_server_kafkaserver_clusterid", "Always 1; the id is a label.", 1, { cluster_id: clusterId, node_id: nodeId });
  out.gauge("kafka_server_replicamanager_partitioncount", "Partitions on this broker.", partitions);
  out.gauge("kafka_server_replicamanager_leadercount", "Partitions that this broker leads.", partitions);
  out.gauge("kafka_server_replicamanager_offlinereplicacount", "Partitions that cannot be used.", logs.offlinePartitions);
  out.gauge("kafka_server_replicamanager_underreplicatedpartitions", "Partitions with replicas out of sync.", 0);
  out.gauge("kafka_server_replicamanager_underminisrpartitioncount", "Partitions with too few replicas in sync.", 0);
  out.gauge("kafka_server_replicamanager_atminisrpartitioncount", "Partitions with just enough replicas in sync.", partitions);
  out.counter("kafka_server_replicamanager_isrshrinks_total", "Times that replicas fell out of sync.", 0);
  out.counter("kafka_server_replicamanager_isrexpands_total", "Times that replicas came in sync.", 0);
  out.gauge("kafka_log_logmanager_offlinelogdirectorycount", "Folders of log.dirs that are offline.", offline);
}
function writeController(out: Exposition, { controller, logs }: MetricsSources): void {
  const { image } = controller;
  let partitions = 0;
  for (const topic of image.topics.values()) partitions += topic.partitions.length;
  const name = (attribute: string): string => `kafka_controller_kafkacontroller_${attribute}`;
  out.gauge(name("activecontrollercount"), "Active controllers here.", 1);
  out.gauge(name("activebrokercount"), "Brokers that take part.", [...image.brokers.values()].filter(({ fenced }) => !fenced).length);
  out.gauge(name("fencedbrokercount"), "Brokers that are fenced.", [...image.brokers.values()].filter(({ fenced }) => fenced).length);
  out.gauge(name("globaltopiccount"), "Topics of the cluster.", image.topics.size);
  out.gauge(name("globalpartitioncount"), "Partitions of the cluster.", partitions);
  out.gauge(name("offlinepartitionscount"), "Partitions without a leader.", logs.offlinePartitions);
  out.gauge(name("preferredreplicaimbalancecount"), "Partitions that their preferred replica does not lead.", 0);
  out.gauge(name("lastappliedrecordoffset"), "Offset of the last metadata record.", image.offset);
  out.counter(name("metadataerrorcount"), "Metadata records that could not be applied.", 0);
}

const TRAFFIC = [
  ["messagesin", "Records appended.", "recordsIn"],
  ["bytesin", "Bytes appended.", "bytesIn"],
  ["bytesout", "Bytes sent to consumers.", "bytesOut"],
  ["totalproducerequests", "Appends of producers.", "appends"],
  ["totalfetchrequests", "Reads of consumers.", "fetches"],
] as const satisfies readonly (readonly [string, string, keyof PartitionTraffic])[];

/** Over all topics without a label, and of each topic with one, as the JMX beans are. */
function writeTraffic(out: Exposition, { logs, requests }: MetricsSources): void {
  const all = emptyTraffic();
  const topics = new Map<string, PartitionTraffic>();
  const add = (topic: string, traffic: PartitionTraffic): void => {
    let sum = topics.get(topic);
    if (sum === undefined) topics.set(topic, (sum = emptyTraffic()));
    for (const [, , field] of TRAFFIC) {
      sum[field] += traffic[field];
      all[field] += traffic[field];
    }
  };
  for (const [topic, traffic] of logs.retiredTraffic) add(topic, traffic);
  for (const { topic, traffic } of logs.all()) add(topic, traffic);
  for (const [attribute, help, field] of TRAFFIC) {
    const name = `kafka_server_brokertopicmetrics_${attribute}_total`;
    out.counter(name, help, all[field]);
    for (const [topic, traffic] of topics)
      if (topic !== "" && logs.ofTopic(topic).length > 0) out.counter(name, help, traffic[field], { topic });
  }
  const name = (attribute: string): string => `kafka_server_brokertopicmetrics_${attribute}_total`;
  out.counter(name("failedproducerequests"), "Appends that were refused.", requests.failedAppends);
  out.counter(name("failedfetchrequests"), "Reads that were refused.", requests.failedReads);
  out.counter(name("bytesrejected"), "Bytes of batches that were too large.", requests.rejectedBytes);
}
const emptyTraffic = (): PartitionTraffic => ({ recordsIn: 0, bytesIn: 0, bytesOut: 0, appends: 0, fetches: 0 });

function writeLogs(out: Exposition, { logs }: MetricsSources): void {
  for (const { topic, partition, sizeBytes, logStartOffset, logEndOffset, segmentCount } of logs.all()) {
    const labels: Labels = { topic, partition };
    out.gauge("kafka_log_log_size", "Bytes on disk.", sizeBytes, labels);
    out.gauge("kafka_log_log_logstartoffset", "First offset.", logStartOffset, labels);
    out.gauge("kafka_log_log_logendoffset", "Offset that the next record gets.", logEndOffset, labels);
    out.gauge("kafka_log_log_numlogsegments", "Segments.", segmentCount, labels);
  }
  for (const { path, error, totalBytes, usableBytes } of logs.directories()) {
    out.gauge("kafka_log_logmanager_logdirectoryoffline", "1 when an I/O error took the folder offline.", error === null ? 0 : 1, {
      logdirectory: path,
    });
    out.gauge("millrace_log_directory_total_bytes", "Size of the volume.", totalBytes, { logdirectory: path });
    out.gauge("millrace_log_directory_usable_bytes", "Space left on the volume.", usableBytes, { logdirectory: path });
  }
}
function writeNetwork(out: Exposition, { network, requests }: MetricsSources): void {
  for (const [listener, count] of network.connectionsPerListener) {
    out.gauge("kafka_server_socket_server_metrics_connection_count", "Connections that are open.", count, { listener });
  }
  out.counter("kafka_server_socket_server_metrics_connection_creation_total", "Connections taken in.", network.connectionsSoFar);
  out.gauge("kafka_network_requestchannel_requestqueuesize", "Requests that wait for their turn.", network.queuedRequests);
  out.gauge("kafka_network_socketserver_memorypoolused", "Bytes of requests that wait or are being received.", network.queuedBytes);
  requests.write(out, errorName);
}

/** Kafka has no metric for lag; these names are those of the exporters that people run beside it. */
function writeGroups(out: Exposition, { coordinators, logs }: MetricsSources): void {
  const counts = new Map<string, number>();
  for (const shard of coordinators.groups.activeShards()) {
    for (const group of shard.groups.values()) {
      const kind = `${group.type} ${group.state}`;
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
      out.gauge("kafka_consumergroup_members", "Members of the group.", group.members.size, { consumergroup: group.id });
      for (const [topic, partitions] of shard.offsets.of(group.id)) {
        for (const [partition, { offset }] of partitions) {
          const found = logs.get(topic, partition);
          if (found === undefined) continue;
          const labels = { consumergroup: group.id, topic, partition };
          out.gauge("kafka_consumergroup_current_offset", "Committed offset.", offset, labels);
          out.gauge("kafka_consumergroup_lag", "Records behind the committed offset.", Math.max(0, found.highWatermark - offset), labels);
        }
      }
    }
  }
  for (const [kind, count] of counts) {
    const [type = "", state = ""] = kind.split(" ");
    out.gauge("kafka_coordinator_group_groupmetadatamanager_numgroups", "Groups.", count, { type, state });
  }
}
function writeTransactions(out: Exposition, { coordinators }: MetricsSources): void {
  const counts = new Map<string, number>();
  for (const shard of coordinators.transactions.activeShards()) {
    for (const { state } of shard.transactions.values()) counts.set(state.status, (counts.get(state.status) ?? 0) + 1);
  }
  for (const [state, count] of counts) {
    out.gauge("kafka_coordinator_transaction_transactionmetadata_numtransactionalids", "Transactional ids.", count, { state });
  }
}
function writeProcess(out: Exposition, startedMs: number): void {
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
  out.counter("process_cpu_seconds_total", "User and system time.", (user + system) / 1e6);
  out.gauge("process_resident_memory_bytes", "Resident memory.", memory.rss);
  out.gauge("nodejs_heap_size_used_bytes", "Heap in use.", memory.heapUsed);
  out.gauge("nodejs_external_memory_bytes", "Memory of buffers.", memory.external);
  out.gauge("process_start_time_seconds", "When the broker started.", startedMs / 1000);
}
