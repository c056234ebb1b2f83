/** Findings of `millrace doctor`. */
import type { Check } from "#connect/api/diagnosis";

export const DOCTOR_CONNECT_TIMEOUT_MS = 8_000;

export const passed = (name: string, message: string): Check => ({ check: name, ok: true, severity: "error", message });
/** `sql`: what mends it, in this order. */
export const failed = (name: string, message: string, sql: readonly string[], nextStep?: string): Check => ({
  check: name,
  ok: false,
  severity: "error",
  message,
  ...(sql.length === 0 ? {} : { sql }),
  ...(nextStep === undefined ? {} : { nextStep }),
});
export const warned = (name: string, message: string, sql: readonly string[], nextStep?: string): Check => ({
  ...failed(name, message, sql, nextStep),
  severity: "warning",
});
