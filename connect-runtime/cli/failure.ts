/** Why something did not start: one line that says what happened and what to do next. */
import { ConnectError } from "../api/errors.ts";

function fieldOf(error: unknown, name: string): string {
  const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function startFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const nextStep = fieldOf(error, "nextStep");
  if (nextStep !== "") return oneLine(`${message} ${nextStep}`);
  const code = fieldOf(error, "code");
  const where = `${fieldOf(error, "address")}:${fieldOf(error, "port")}`;
  if (code === "EADDRINUSE")
    return `The REST address ${where} is in use. Stop the process that holds it, or choose another one (listeners, --rest HOST:PORT).`;
  if (code === "EACCES" && fieldOf(error, "syscall") === "listen") {
    return `No right to listen on ${where}. Choose a port from 1024 up (listeners, --rest HOST:PORT).`;
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return `${where} is no address of this machine. Correct the host in listeners or --rest HOST:PORT.`;
  if (code === "ENOENT") return `There is no file ${fieldOf(error, "path")}. Check the path.`;
  if (code === "EACCES" || code === "EPERM")
    return `No right to use ${fieldOf(error, "path") || "the file"}. Give this user the right, or choose another path.`;
  if (error instanceof ConnectError && error.causeClass === "config") return oneLine(`${message} Correct the setting and start again.`);
  if (/BROKER_NOT_AVAILABLE|NETWORK_EXCEPTION|REQUEST_TIMED_OUT|timed out|ECONNREFUSED/.test(`${fieldOf(error, "name")} ${message}`)) {
    return oneLine(`The Kafka brokers cannot be reached: ${message} Check bootstrap.servers and that a broker runs there.`);
  }
  return oneLine(`${message} Look at the log above for details.`);
}
const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").replace(/([^.!?])( [A-Z][a-z]+ (?:the|at|bootstrap))/, "$1.$2");
