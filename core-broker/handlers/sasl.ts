/** SaslHandshake (17) and SaslAuthenticate (36) on a listener without SASL; a SASL listener's connections answer them themselves. */
import { ErrorCode } from "../protocol/errors.ts";
import { saslAuthenticate } from "../protocol/messages/sasl-authenticate.ts";
import { saslHandshake } from "../protocol/messages/sasl-handshake.ts";
import { type Handler, handler } from "./handler.ts";

export const saslHandshakeHandler = (): Handler =>
  handler(saslHandshake, () => ({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }));
export const saslAuthenticateHandler = (): Handler =>
  handler(saslAuthenticate, () => ({
    errorCode: ErrorCode.ILLEGAL_SASL_STATE,
    errorMessage: "SaslAuthenticate request received after successful authentication",
    authBytes: Buffer.alloc(0),
  }));
