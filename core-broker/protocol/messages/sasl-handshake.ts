import { api, array, int16, string, type RequestOf, type ResponseOf } from "../schema.ts";

export const saslHandshake = api({
  key: 17,
  name: "SaslHandshake",
  versions: [0, 1],
  flexible: null,
  request: { mechanism: string() },
  response: { errorCode: int16(), mechanisms: array(string()) },
});
export type SaslHandshakeRequest = RequestOf<typeof saslHandshake>;
export type SaslHandshakeResponse = ResponseOf<typeof saslHandshake>;
