/**
 * What a crash leaves behind in a group: a member whose process is gone. Whoever takes its place knows it by something that only
 * one process can have, and removes it, which spares everybody the session time-out.
 */
import type { Admin, ClientConfig, KafkaClients } from "#broker/client/types";
import type { Logger } from "../api/connector.ts";

export type IsFormerSelf = Parameters<Admin["removeMembers"]>[1];

/** Never throws: without it the group waits, as it would have anyway. `who` stands in the log. */
export async function removeFormerSelf(
  clients: KafkaClients,
  config: ClientConfig,
  groupId: string,
  who: string,
  isFormerSelf: IsFormerSelf,
  log: Logger,
): Promise<void> {
  try {
    const admin = await clients.admin(config);
    try {
      const removed = await admin.removeMembers(groupId, isFormerSelf);
      if (removed > 0) log.info(`removed the former ${who} from group ${groupId}`);
    } finally {
      await admin.close();
    }
  } catch (error) {
    log.warn(`looking for the former ${who} in group ${groupId} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
