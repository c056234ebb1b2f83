/** All small plugins. The catalogue reads these lists. */
import type { ConverterPlugin, HeaderConverterPlugin } from "#connect/api/plugin";
import { byteArrayConverter, byteArrayHeaderConverter } from "./converters/byte-array-converter.ts";
import { jsonConverter, jsonHeaderConverter } from "./converters/json-converter.ts";
import { numberConverters, numberHeaderConverters } from "./converters/number-converters.ts";
import { stringConverter, stringHeaderConverter } from "./converters/string-converter.ts";

import { simpleHeaderConverter } from "./header-converters/simple-header-converter.ts";

export const converters: readonly ConverterPlugin[] = [jsonConverter, stringConverter, byteArrayConverter, ...numberConverters];
export const headerConverters: readonly HeaderConverterPlugin[] = [
  simpleHeaderConverter,
  jsonHeaderConverter,
  stringHeaderConverter,
  byteArrayHeaderConverter,
  ...numberHeaderConverters,
];
export { transforms } from "./transforms/index.ts";
export { predicates } from "./predicates/index.ts";
export { configProviders } from "./config-providers/index.ts";
