import { api, array, int16, int32, int8, string, type RequestOf, type ResponseOf } from "../schema.ts";

export const listConfigResources = api({
  key: 74,
  name: "ListConfigResources",
  versions: [0, 1],
  flexible: 0,
  request: { resourceTypes: array(int8(), { since: 1 }) },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array({ resourceName: string(), resourceType: int8({ since: 1, default: 16, ignorable: true }) }),
  },
});
export type ListConfigResourcesRequest = RequestOf<typeof listConfigResources>;
export type ListConfigResourcesResponse = ResponseOf<typeof listConfigResources>;
