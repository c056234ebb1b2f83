/** Topic configurations. */
import { ErrorCode, errorName, KafkaError } from "../../protocol/errors.ts";
import { alterConfigs, describeConfigs, incrementalAlterConfigs } from "../../protocol/messages/index.ts";
import type { Cluster } from "../cluster.ts";
import { retrying } from "../retry.ts";
import { sendToController } from "./topics.ts";

const TOPIC = 2;
const SET = 0;
/** DescribeConfigs' source of values that were set on the topic itself. */
const DYNAMIC_TOPIC_CONFIG = 1;

export interface TopicConfigValue {
  readonly value: string | null;
  readonly isDefault: boolean;
}
/** Throws UNKNOWN_TOPIC_OR_PARTITION when it does not exist. */
export async function describeTopicConfigs(cluster: Cluster, name: string): Promise<ReadonlyMap<string, TopicConfigValue>> {
  const { results } = await retrying(cluster, `configuration of topic ${name}`, cluster.config.defaultApiTimeoutMs, async () => {
    const request = { resources: [{ resourceType: TOPIC, resourceName: name, configurationKeys: null }] };
    return (await cluster.sendToAny(describeConfigs, request)).body;
  });
  const result = results[0];
  if (result === undefined || result.errorCode !== ErrorCode.NONE) {
    const code = result?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    throw new KafkaError(code, `configuration of topic ${name}: ${result?.errorMessage ?? errorName(code)}`);
  }
  return new Map(result.configs.map((each) => [each.name, { value: each.value, isDefault: each.configSource !== DYNAMIC_TOPIC_CONFIG }]));
}

/** Sets these and leaves the others. Brokers before 2.3 only know how to replace all, so the others are read first there. */
export async function alterTopicConfigs(cluster: Cluster, name: string, set: Readonly<Record<string, string>>): Promise<void> {
  const what = `changing the configuration of topic ${name}`;
  await retrying(cluster, what, cluster.config.defaultApiTimeoutMs, async () => {
    const resource = { resourceType: TOPIC, resourceName: name };
    const configs = Object.entries(set).map(([key, value]) => ({ name: key, configOperation: SET, value }));
    try {
      const { body } = await sendToController(cluster, incrementalAlterConfigs, { resources: [{ ...resource, configs }] });
      check(what, body.responses[0]);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.code !== ErrorCode.UNSUPPORTED_VERSION) throw error;
      const before = await describeTopicConfigs(cluster, name);
      const kept = [...before].flatMap(([key, each]) => (each.isDefault ? [] : [[key, each.value] as const]));
      const all = Object.entries({ ...Object.fromEntries(kept), ...set }).map(([key, value]) => ({ name: key, value }));
      const { body } = await sendToController(cluster, alterConfigs, { resources: [{ ...resource, configs: all }] });
      check(what, body.responses[0]);
    }
  });
}
function check(what: string, answer: { readonly errorCode: number; readonly errorMessage: string | null } | undefined): void {
  const code = answer?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  if (code !== ErrorCode.NONE) throw new KafkaError(code, `${what}: ${answer?.errorMessage ?? errorName(code)}`);
}
