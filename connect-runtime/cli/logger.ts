/** Logs by pino: plain short lines on a terminal, JSON lines elsewhere, always to standard error. */
import { pino } from "pino";
import type { Logger } from "#broker/base/logger";

const RANKS: Readonly<Record<string, number>> = { all: 0, trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60, off: 100 };
const SECRET = /(password|secret|token|credential|jaas|passphrase|private\.?key)/i;

export interface CliLogger extends Logger {
  /** Also of all children. */
  setLevel(level: string): void;
}
export function cliLogger(level: string, stderr: NodeJS.WriteStream = process.stderr): CliLogger {
  const rankOf = (name: string): number => RANKS[name] ?? 30;
  let least = rankOf(level);
  const root = pino(
    { level: "trace", base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void stderr.write(stderr.isTTY ? plain(line) : line) },
  );
  const adapter = (inner: pino.Logger): Logger => {
    const at =
      (name: "debug" | "info" | "warn" | "error") =>
      (message: string, fields?: object): void => {
        if (rankOf(name) >= least) inner[name](safe(fields), message);
      };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => adapter(inner.child(safe(fields))),
    };
  };
  return { ...adapter(root), setLevel: (name) => void (least = rankOf(name)) };
}
/** Fields that look like secrets are not written. */
function safe(fields: object | undefined): object {
  if (fields === undefined) return {};
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, SECRET.test(key) ? "[hidden]" : value]));
}
function plain(line: string): string {
  try {
    const { level, time, msg, ...rest }: Record<string, unknown> = JSON.parse(line);
    const fields = Object.entries(rest)
      .map(([k, v]) => ` ${k}=${typeof v === "string" ? v : JSON.stringify(v)}`)
      .join("");
    return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(msg)}${fields}\n`;
  } catch {
    return line;
  }
}
