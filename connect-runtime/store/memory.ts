/** Config and status stores of standalone mode: the same folds, over records that never leave the process. */
import type { ConfigStore } from "./config.ts";
import {
  commitRecord,
  connectorRecord,
  fencingRecord,
  type KeyValue,
  loggerRecord,
  parseConfigRecord,
  restartRecord,
  sessionKeyRecord,
  targetRecord,
  taskRecord,
} from "./config-records.ts";
import { type ConfigChange, ConfigFold } from "./config-state.ts";
import { parseStatusRecord } from "./status-records.ts";
import { StatusFold, type StatusStore, statusStore } from "./status.ts";

export function memoryConfigStore(changed: (change: ConfigChange) => void): ConfigStore {
  const fold = new ConfigFold();
  let offset = 0;
  const write = (...records: readonly KeyValue[]): Promise<void> => {
    for (const r of records) {
      const change = fold.apply(parseConfigRecord(r.key, r.value), offset++);
      if (change !== null) changed(change);
    }
    return Promise.resolve();
  };
  return {
    snapshot: () => fold.snapshot(),
    refresh: () => Promise.resolve(),
    claimWritePrivileges: () => Promise.resolve(),
    putConnector: (connector, properties, target) =>
      write(...(target === null ? [] : [targetRecord(connector, target)]), connectorRecord(connector, properties)),
    removeConnector: (connector) => write(connectorRecord(connector, null), targetRecord(connector, null)),
    putTaskConfigs: (connector, configs) =>
      write(...configs.map((config, task) => taskRecord(connector, task, config)), commitRecord(connector, configs.length)),
    putTarget: (connector, state) => write(targetRecord(connector, state)),
    putTaskCountRecord: (connector, count) => write(fencingRecord(connector, count)),
    putSessionKey: (key) => write(sessionKeyRecord(key)),
    putRestart: (request) => write(restartRecord(request)),
    putLoggerLevel: (namespace, level) => write(loggerRecord(namespace, level)),
    close: () => Promise.resolve(),
  };
}
export function memoryStatusStore(): StatusStore {
  const fold = new StatusFold();
  const done = (): Promise<void> => Promise.resolve();
  return statusStore(fold, (key, value) => fold.apply(parseStatusRecord(key, value)), { flush: done, close: done });
}
