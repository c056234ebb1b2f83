/** The log that a connector writes to: what it says goes on without its secrets. */
import type { Logger } from "#broker/base/logger";
import { type Hiding, hiddenTexts } from "./secrets.ts";

export function hidingLogger(log: Logger, hide: Hiding): Logger {
  const fields = (given: object): object => Object(hiddenTexts(given, hide));
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (message: string, given?: object): void =>
      given === undefined ? log[level](hide(message)) : log[level](hide(message), fields(given));
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (given) => hidingLogger(log.child(given), hide),
  };
}
