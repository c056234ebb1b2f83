/** Settings of Kafka's broker that are accepted, shown and kept, but change nothing here, and why. The first pattern that fits counts. */
const REASONS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^remote\./, "there is no tiered storage"],
  [/^log\.local\.retention\./, "there is no tiered storage"],
  [/^(group\.share\.|share\.)/, "there are no share groups"],
  [/^group\.streams\./, "there are no streams groups"],
  [/^delegation\.token\./, "there are no delegation tokens"],
  [/^sasl\.kerberos\./, "there is no Kerberos"],
  [/^sasl\.login\.|^sasl\.client\.callback|^sasl\.mechanism\.(inter\.broker|controller)\./, "this broker logs in nowhere"],
  [/^sasl\.oauthbearer\.(assertion|client\.credentials|jwt\.retriever|scope$|token\.endpoint)/, "this broker logs in nowhere"],
  [/^(security\.)?inter\.broker\.|^security\.inter\.broker/, "there is one node"],
  [/^controller\.(quorum|socket|performance)\./, "the controller is in the same process, alone"],
  [/^broker\.(heartbeat|session)\.|^initial\.broker\.registration|^unclean\.leader\.election\.interval/, "there is one node"],
  [/^(num\.)?replica\.(?!alter)|^replication\.quota\.|^auto\.leader\.rebalance|^leader\.imbalance/, "there is one node"],
  [/^add\.partitions\.to\.txn\.retry/, "the coordinator is asked without a request"],
  [/\.purgatory\.purge\.interval\.requests$/, "requests that wait cost nothing after they are answered"],
  [
    /^num\.(network|io|recovery|replica\.alter)|^background\.threads|\.threads$|^log\.cleaner\.threads/,
    "for a JVM's threads; there is one event loop",
  ],
  [/^(metric\.reporters|kafka\.metrics\.|metrics\.(num|recording|sample))/, "for a JVM's metrics; see metrics.listeners"],
  [
    /^(?!authorizer\.class|sasl\.server\.callback).*\.(class|class\.name|class\.path|impl\.prefix)$|^security\.providers$/,
    "names a Java class",
  ],
  [/^ssl\.(keymanager|trustmanager)\.algorithm$|^ssl\.(provider|protocol|secure\.random\.implementation)$/, "for a JVM's TLS"],
  [/^metadata\.(log|max)\.(?!dir)|^internal\.metadata\.|^metadata\.max\.idle/, "the metadata log is written and shortened in our own way"],
  [/^group\.coordinator\.append\.linger|^(offsets|transaction\.state\.log)\.load\.buffer/, "state is written and loaded in our own way"],
  [/^log\.preallocate$/, "files grow as they are written"],
  [/^compression\.lz4\.level$/, "lz4 is compressed at its fast level"],
  [/^log\.cleaner\.(io\.buffer\.load\.factor|io\.max\.bytes\.per\.second)/, "compaction yields to requests instead"],
  [/^(early\.start\.listeners|server\.max\.startup\.time\.ms|process\.roles)$/, "the node is broker and controller"],
  [/^socket\.(send|receive)\.buffer\.bytes$/, "the system sizes the buffers of sockets"],
  [/^socket\.connection\.setup\./, "this broker opens no connections"],
  [/^(telemetry\.|unstable\.|transaction\.two\.phase)/, "not offered"],
];
/** Null: the setting has an effect. */
export function whyNoEffect(name: string): string | null {
  return REASONS.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}
