/** What a client is given from outside. */
import { type Clock, systemClock } from "../base/clock.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import { type Random, systemRandom } from "../base/random.ts";

export interface ClientDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}
export const defaultDeps = (deps: Partial<ClientDeps> = {}): ClientDeps => ({
  clock: deps.clock ?? systemClock,
  random: deps.random ?? systemRandom,
  logger: deps.logger ?? silentLogger,
});
