/** Every API that we know, by key. */
import * as messages from "./messages/index.ts";
import type { Api } from "./schema.ts";

export const apis: readonly Api[] = Object.values(messages).sort((a, b) => a.key - b.key);
export const apiByKey: ReadonlyMap<number, Api> = new Map(apis.map((a) => [a.key, a]));
