/** File connectors and all small plugins, without the product's catalogue: what task threads of integration tests import. */
import type { PluginCatalog } from "#connect/worker/types";
import { fileStreamSink } from "#connectors/file/sink";
import { fileStreamSource } from "#connectors/file/source";
import { stringHeaderConverter } from "#plugins/converters/string-converter";
import { converters, transforms } from "#plugins/index";
import { misbehaving } from "./thread-plugins.ts";

const pick = <T extends { readonly name: string; readonly classes: readonly string[] }>(list: readonly T[], c: string): T | null =>
  list.find((p) => p.name === c || p.classes.some((full) => full === c || full.endsWith(`.${c}`))) ?? null;
const connectors = [fileStreamSource, fileStreamSink, misbehaving];

export const catalog: PluginCatalog = {
  connector: async (c) => pick(connectors, c),
  transform: async (c) => pick(transforms, c),
  predicate: async () => null,
  converter: async (c) => pick(converters, c),
  headerConverter: async () => stringHeaderConverter,
  configProvider: async () => null,
};
