/** SASL OAUTHBEARER on the server's side (RFC 7628, KIP-255): one message with a token; a refusal is told as JSON first. */
import { SaslFailure, type SaslServer, type TokenValidator } from "./mechanism.ts";

/** gs2 header with an optional authorization id, then key=value pairs, each ended by 0x01. */
const CLIENT_FIRST = /^n,(?:a=([^,]*))?,\u0001((?:[A-Za-z]+=[\t\n\r -~]*\u0001)+)\u0001$/;
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
      const match = CLIENT_FIRST.exec(message.toString("utf8"));
      const token = /(?:^|\u0001)auth=bearer +([^\u0001 ]+) *\u0001/i.exec(match?.[2] ?? "")?.[1];
      if (match === null || token === undefined) throw failed("an invalid OAUTHBEARER client first message");
      try {
        const verified = await validate(token);
        const authorization = match[1] ?? "";
        if (authorization !== "" && authorization !== verified.principal) {
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
