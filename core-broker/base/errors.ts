/** What keeps the broker from starting, as one table: code, what to do next. `message` says what happened, with names. */
const BROKER_ERRORS = {
  PORT_IN_USE: "Stop the process that holds the port, or choose another one in `listeners`.",
  LISTEN_FAILED: "Check host and port in `listeners`: the host must be an address of this machine, ports below 1024 need rights.",
  NO_ACCESS: "Give this user read and write rights on the folder, or choose another one in `log.dirs`.",
  NO_SPACE: "Free space on the volume, or choose a folder on another one in `log.dirs`.",
  DATA_LOCKED: "Stop the other process that uses this data folder, or choose another one in `log.dirs`.",
  CORRUPT_DATA: "Restore the named file from a backup. Moving the data folder away starts empty: its topics are then gone.",
  WRONG_CLUSTER: "Use the data folder of this node, or correct `node.id`; meta.properties says whose the folder is.",
  INVALID_CONFIG: "Correct the named setting in the properties file.",
} as const;

export type BrokerErrorCode = keyof typeof BROKER_ERRORS;
export class BrokerError extends Error {
  readonly code: BrokerErrorCode;
  /** What the reader can do about it. */
  readonly nextStep: string;
  constructor(code: BrokerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = code;
    this.code = code;
    this.nextStep = BROKER_ERRORS[code];
  }
}
