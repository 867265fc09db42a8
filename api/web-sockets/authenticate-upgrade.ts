import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { Metrics } from "../../shared/metrics.ts";
import type { Ids } from "../../shared/ports/platform.ts";
import { answerOnSocket } from "../answer-on-socket.ts";
import type { NoteRefusal } from "../audit/refusals.ts";
import type { Blacklist } from "../blacklist/blacklist.ts";
import type { OpeningToken } from "../blacklist/connections.ts";
import type { StalenessPolicy } from "../blacklist/staleness-policy.ts";
import { createRefuseIfRevoked } from "../middleware/reject-revoked.ts";
import { type FreshFeed, refuseUnlessFresh } from "../middleware/require-fresh.ts";
import { tokenOf } from "../middleware/require-token.ts";
import type { VerifyOnce } from "../tokens/verify-once.ts";

export interface UpgradeDeps {
  readonly feed: FreshFeed;
  readonly tokens: Pick<VerifyOnce, "verify">;
  readonly blacklist: Pick<Blacklist, "isRevoked">;
  readonly metrics: Pick<Metrics, "checks" | "acceptedChecks">;
  readonly noteRefusal: NoteRefusal;
  readonly ids: Ids;
  readonly log: Log;
}

/**
 * The checks of a request, in their order, for one that asks for a WebSocket and so never reaches the pipeline. Null
 * when it was refused: then it is answered, in plain HTTP, and its connection ends. With the library `ws`:
 *
 *     const library = new WebSocketServer({ noServer: true });
 *     server.on("upgrade", (request, socket, head) => {
 *       const token = authenticateUpgrade(request, socket);
 *       if (token === null) return;
 *       library.handleUpgrade(request, socket, head, (webSocket) => {
 *         const guard = guardWebSocket(token, webSocket);
 *         webSocket.on("message", (message) => {
 *           if (guard.isAccepted()) obey(message);
 *         });
 *       });
 *     });
 *
 * The token comes in the Authorization header only, so no page of another site can open one with somebody's cookie.
 */
export function createAuthenticateUpgrade(deps: UpgradeDeps) {
  const refuseIfRevoked = createRefuseIfRevoked(deps);

  function check(request: IncomingMessage, policy: StalenessPolicy | undefined): OpeningToken {
    refuseUnlessFresh(deps.feed, policy);
    const token = deps.tokens.verify(tokenOf(request));
    refuseIfRevoked(token);
    return { claims: token.claims, policy };
  }

  return function authenticateUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    policy?: StalenessPolicy,
  ): OpeningToken | null {
    try {
      return check(request, policy);
    } catch (thrown) {
      answerOnSocket(socket, refusalOf(thrown), deps.ids);
      return null;
    }
  };

  function refusalOf(thrown: unknown): AppError {
    if (thrown instanceof AppError) return thrown;
    deps.log.error("http.failed", { err: thrown });
    return new AppError("internal-error", "The request failed on our side.", { cause: thrown });
  }
}

export type AuthenticateUpgrade = ReturnType<typeof createAuthenticateUpgrade>;
