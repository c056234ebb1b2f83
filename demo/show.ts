/** The trickle of writes, the observer and the screen, started and stopped together. */
import { createKafkaClients } from "#broker/client/index";
import { startTrickle } from "./inventory.ts";
import { observe } from "./observer.ts";
import { showLive } from "./screen.ts";

export interface RunningConnectors {
  readonly topics: string[];
  readonly sinkGroup: string;
}
export interface ShowOptions {
  readonly rest: string;
  readonly bootstrap: string;
  readonly samplePort: number;
  readonly folder: string;
  readonly posted: RunningConnectors;
}
const TRICKLE_MS = 150;

export async function show(o: ShowOptions): Promise<{ readonly stop: () => Promise<void> }> {
  const trickle = await startTrickle(o.samplePort, TRICKLE_MS);
  const observer = await observe({ ...o, clients: createKafkaClients(), topics: o.posted.topics, sinkGroup: o.posted.sinkGroup, trickle });
  const out = {
    isTTY: process.stdout.isTTY ?? false,
    columns: process.stdout.columns ?? 160,
    write: (text: string) => void process.stdout.write(text),
  };
  const screen = showLive(out, o, () => observer.view());
  return {
    async stop() {
      screen.stop();
      await trickle.stop();
      await observer.close();
    },
  };
}
