import { expect, test } from "vitest";
import { Settings } from "#connectors/cdc/settings";
import { startDecision, type StartFacts } from "#connectors/cdc/start-decision";
import { CONFIG } from "#connectors/sqlserver/config";

const THERE = { exists: () => Promise.resolve(true), description: "history" };
const GONE = { exists: () => Promise.resolve(false), description: "the topic history" };
const facts = (mode: string, more: Partial<StartFacts> = {}, config: Record<string, string> = {}): StartFacts => ({
  settings: new Settings(config, CONFIG),
  mode,
  stored: null,
  history: THERE,
  missing: null,
  taken: false,
  lost: (missing) => `lost: ${missing}`,
  ...more,
});
const COMPLETE = { stored: { complete: true } };
const BEGUN = { stored: { complete: false } };
const ALL = { schema: true, data: true, keepsPosition: false };
const STREAM = { schema: false, data: false, keepsPosition: true };
const SCHEMA = { schema: true, data: false, keepsPosition: false };

test.each([
  ["nothing stored", facts("initial"), ALL],
  ["complete", facts("initial", COMPLETE), STREAM],
  ["interrupted", facts("initial", BEGUN), ALL],
  ["always", facts("always", COMPLETE), ALL],
  ["always, taken in this run", facts("always", { ...COMPLETE, taken: true }), STREAM],
  ["no data", facts("no_data"), SCHEMA],
  ["no data, complete", facts("no_data", COMPLETE), STREAM],
  ["never", facts("never"), { schema: false, data: false, keepsPosition: false }],
  ["when needed, lost", facts("when_needed", { ...COMPLETE, missing: "x" }), ALL],
  ["recovery", facts("recovery", COMPLETE), { ...STREAM, schema: true }],
  ["recovery, once in a run", facts("recovery", { ...COMPLETE, taken: true }), STREAM],
  ["history known from this run", facts("initial", { ...COMPLETE, history: null }), STREAM],
  ["by configuration: neither", facts("configuration_based"), { schema: false, data: false, keepsPosition: false }],
  ["by configuration: schema", facts("configuration_based", {}, { "snapshot.mode.configuration.based.snapshot.schema": "true" }), SCHEMA],
  [
    "by configuration: history rebuilt",
    facts("configuration_based", { ...COMPLETE, history: GONE }, { "snapshot.mode.configuration.based.snapshot.on.schema.error": "true" }),
    { ...STREAM, schema: true },
  ],
])("%s", async (_name, given, expected) => {
  expect(await startDecision(given)).toEqual(expected);
});
test.each([
  ["recovery without a position", facts("recovery"), /snapshot\.mode=initial/],
  ["changes lost", facts("initial", { ...COMPLETE, missing: "the log" }), /^lost: the log$/],
  ["history gone", facts("initial", { ...COMPLETE, history: GONE }), /the topic history holds no records/],
  // The tables of now may not be those of the position (recorded: MariaDbConnector, the topic deleted between two runs).
  ["history gone, when needed", facts("when_needed", { ...COMPLETE, history: GONE }), /^The db history topic is missing/],
])("stops: %s", async (_name, given, message) => {
  await expect(startDecision(given)).rejects.toThrow(message);
});
