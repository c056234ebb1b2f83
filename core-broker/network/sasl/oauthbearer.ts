/** SASL OAUTHBEARER on the server's side (RFC 7628, KIP-255): one message with a token; a refusal is told as JSON first. */
import { SaslFailure, type SaslServer, type TokenValidator } from "./mechanism.ts";

const SEPARATOR = "\u0001";

/** A gs2 header with an optional authorization id, then key=value pairs; each part is ended by 0x01, and one more ends all. */
function clientFirst(text: string): { readonly authorization: string; readonly token: string } | null {
  const [header = "", ...pairs] = text.split(SEPARATOR);
  const gs2 = /^n,(?:a=([^,]*))?,$/.exec(header);
  if (gs2 === null || pairs.length < 3 || pairs.at(-1) !== "" || pairs.at(-2) !== "") return null;
  const token = pairs.map((pair) => /^auth=bearer +([^ ]+) *$/i.exec(pair)?.[1]).find((found) => found !== undefined);
  return token === undefined ? null : { authorization: gs2[1] ?? "", token };
}
const INVALID_TOKEN = Buffer.from('{"status":"invalid_token"}');
const failed = (why: string): SaslFailure => new SaslFailure(`Authentication failed during authentication due to ${why}`);

export function oauthBearerServer(validate: TokenValidator): SaslServer {
  let user: string | null = null;
  let expiresMs: number | null = null;
  let refusal: SaslFailure | null = null;
  return {
    get user() {
      return user;
    },
    get expiresMs() {
      return expiresMs;
    },
    async next(message) {
      // The client has read why, and answers with one byte 0x01.
      if (refusal !== null) throw refusal;
      const first = clientFirst(message.toString("utf8"));
      if (first === null) throw failed("an invalid OAUTHBEARER client first message");
      try {
        const verified = await validate(first.token);
        if (first.authorization !== "" && first.authorization !== verified.principal) {
          throw failed("an authorization id that is different from the token's principal name");
        }
        user = verified.principal;
        expiresMs = verified.expiresMs;
        return Buffer.alloc(0);
      } catch (error) {
        if (!(error instanceof SaslFailure)) throw error;
        refusal = error;
        return INVALID_TOKEN;
      }
    },
  };
}
