/** How values are represented: the settings that all databases have (`*.handling.mode`, `time.precision.mode`). */
import type { BinaryMode } from "./binary-text.ts";
import type { Settings } from "./settings.ts";

export interface HandlingModes {
  readonly decimal: "precise" | "double" | "string";
  readonly time: "adaptive" | "adaptive_time_microseconds" | "connect" | "isostring" | "microseconds" | "nanoseconds";
  readonly binary: BinaryMode;
}
/** The settings are checked: nothing else stands in them. */
export const handlingModes = (s: Settings): HandlingModes => ({
  decimal: s.choice("decimal.handling.mode") as HandlingModes["decimal"],
  time: s.choice("time.precision.mode") as HandlingModes["time"],
  binary: s.choice("binary.handling.mode") as HandlingModes["binary"],
});
