import { noQuerySchema } from "../../routes/schemas.ts";
import { ids } from "../example-ids.ts";
import { json, type Operation, text } from "../operation.ts";
import { me } from "../response-schemas.ts";

export const accountOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/me",
    id: "getMe",
    tag: "Account",
    summary: "Shows who the token says that one is",
    caller: "bearer",
    query: noQuerySchema,
    answers: {
      200: json("The user, the token, and the instance that answered.", me, { headers: ["Cache-Control"] }),
    },
    problems: ["forbidden"],
  },
  {
    method: "get",
    path: "/me/stream",
    id: "streamMe",
    tag: "Account",
    summary: "Tells when the token is not accepted any more",
    description:
      "Server-sent events: open at once, then a comment every 15 seconds, and at the end one event that says why: " +
      "revoked, expired, stale or shutting-down.",
    caller: "bearer",
    query: noQuerySchema,
    answers: {
      200: text("The events, until the token ends or the caller goes.", "text/event-stream", {
        headers: ["Cache-Control", "X-Accel-Buffering"],
        example: `event: open\ndata: {"jti":"${ids.jti}","instance":"${ids.instances[0]}"}\n\nevent: revoked\ndata: {"jti":"${ids.jti}"}\n\n`,
      }),
    },
    problems: ["forbidden"],
  },
];
