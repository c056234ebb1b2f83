/** Puts the group and the transaction coordinator together over their logs. */
import type { Timer } from "../base/clock.ts";
import { GroupCoordinator } from "./group/coordinator.ts";
import { locateCoordinator } from "./locate.ts";
import { expireOffsets, forgetTopics } from "./offsets/removal.ts";
import { TransactionCoordinator } from "./transaction/coordinator.ts";
import { admitWrite } from "./transaction/write-admission.ts";
import type { CoordinatorDeps, Coordinators } from "./types.ts";

export function createCoordinators(deps: CoordinatorDeps): Coordinators {
  const groups = new GroupCoordinator(deps);
  const transactions = new TransactionCoordinator(deps, groups);
  const timers = new Set<Timer>();
  let closed = false;

  /** Runs `work` again and again, `intervalMs` after the end of the last run; a failure is logged and the next run tries again. */
  const every = (intervalMs: number, what: string, work: () => Promise<void>): void => {
    const timer = deps.clock.after(intervalMs, () => {
      timers.delete(timer);
      work()
        .catch((error: unknown) => deps.logger.warn(`${what} failed`, { error: String(error) }))
        .finally(() => {
          if (!closed) every(intervalMs, what, work);
        })
        // Only the logger itself can have failed: there is nobody left to tell.
        .catch(() => {});
    });
    timers.add(timer);
  };

  return {
    groups,
    transactions,
    locate: (keyType, key, listener) => locateCoordinator(deps, keyType, key, listener),
    admitWrite: (write) => admitWrite(transactions, write),
    async elected(topic, partition, leaderEpoch) {
      if (topic === deps.groupLog.topic) await groups.elected(partition);
      else if (topic === deps.transactionLog.topic) await transactions.elected(partition, leaderEpoch);
    },
    resigned(topic, partition) {
      if (topic === deps.groupLog.topic) groups.resigned(partition);
      else if (topic === deps.transactionLog.topic) transactions.resigned(partition);
    },
    topicsDeleted(names) {
      const gone = new Set(names);
      for (const shard of groups.activeShards()) {
        forgetTopics(shard, gone).catch((error: unknown) => {
          deps.logger.warn("offsets of deleted topics are still there", { partition: shard.partition, error: String(error) });
        });
      }
    },
    start() {
      every(deps.config.offsetsRetentionCheckIntervalMs, "offset expiry", async () => {
        for (const shard of groups.activeShards()) await expireOffsets(shard);
      });
      every(deps.config.transactionTimeoutCheckIntervalMs, "aborting timed-out transactions", async () => {
        for (const shard of transactions.activeShards()) await shard.abortTimedOut();
      });
      every(deps.config.transactionalIdExpirationCheckIntervalMs, "expiry of transactional ids", async () => {
        for (const shard of transactions.activeShards()) await shard.expireIds();
      });
    },
    close() {
      closed = true;
      for (const timer of timers) timer.cancel();
      groups.close();
      transactions.close();
    },
  };
}
