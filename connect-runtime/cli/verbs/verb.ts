/** A command that speaks to a worker: its words and options, and what it prints. */
import type { Target } from "./client.ts";
import type { Printed } from "./output.ts";

export interface VerbInput {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** Options that may be repeated. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly flags: ReadonlySet<string>;
}
/** Throws CommandError or UsageError. */
export type Verb = (target: Target, input: VerbInput) => Promise<Printed>;
