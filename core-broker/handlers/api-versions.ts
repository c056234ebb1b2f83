/**
 * ApiVersions (18), versions 0-4. What is announced is what is served. Produce is announced from 0 on although 0-2 are
 * refused: old librdkafka takes a higher minimum for a broker that it cannot produce to. A newer version than ours is
 * answered in the connection, in the form of version 0 (KIP-511).
 */
import { ErrorCode } from "../protocol/errors.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import { produce } from "../protocol/messages/produce.ts";
import type { MetadataImage } from "../controller/image.ts";
import { SUPPORTED_FEATURES } from "../controller/features.ts";
import { type Handler, handler } from "./handler.ts";

const SOFTWARE_NAME = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export interface ApiVersionsDeps {
  readonly controller: { readonly image: MetadataImage };
}
/** `served`: the handlers of the listener, itself included. */
export function apiVersionsHandler(deps: ApiVersionsDeps, served: () => Iterable<Handler>): Handler {
  return handler(apiVersions, ({ version }, request) => {
    if (version >= 3 && !(SOFTWARE_NAME.test(request.clientSoftwareName) && SOFTWARE_NAME.test(request.clientSoftwareVersion))) {
      return { errorCode: ErrorCode.INVALID_REQUEST };
    }
    const { features, offset } = deps.controller.image;
    const apiKeys = [...served()]
      .map(({ api }) => ({ apiKey: api.key, minVersion: api.key === produce.key ? 0 : api.versions[0], maxVersion: api.versions[1] }))
      .sort((a, b) => a.apiKey - b.apiKey);
    return {
      errorCode: ErrorCode.NONE,
      apiKeys,
      supportedFeatures: SUPPORTED_FEATURES.filter(({ minVersion }) => version >= 4 || minVersion > 0),
      finalizedFeaturesEpoch: offset,
      finalizedFeatures: [...features].map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    };
  });
}
