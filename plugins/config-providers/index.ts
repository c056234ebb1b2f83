/** All config providers. */
import type { ConfigProviderPlugin } from "#connect/api/plugin";
import { directoryConfigProvider } from "./directory.ts";
import { environmentConfigProvider } from "./environment.ts";
import { fileConfigProvider } from "./file.ts";

export const configProviders: readonly ConfigProviderPlugin[] = [fileConfigProvider, directoryConfigProvider, environmentConfigProvider];
