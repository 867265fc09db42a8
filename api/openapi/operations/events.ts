import { z } from "zod";
import { emptySchema, noQuerySchema } from "../../routes/schemas.ts";
import { ids } from "../example-ids.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, jsonBody, named, type Operation } from "../operation.ts";
import { pendingReceipt, receipt } from "../response-schemas.ts";

const text = z.string().min(1);
/** CloudEvents 1.0. What each type needs in its data stands in the description; other members are dropped. */
const cloudEvent = named(
  "CloudEvent",
  z.looseObject({
    specversion: z.literal("1.0"),
    id: text.max(256),
    source: text.max(1024),
    type: text,
    subject: text.max(256).optional().meta({ description: "The user's id." }),
    time: text.optional().meta({ format: "date-time" }),
    datacontenttype: z.literal("application/json").optional(),
    data: z.looseObject({}).optional(),
  }),
  {
    specversion: "1.0",
    id: "4711",
    source: "https://hr.example.com",
    type: "user.deactivated",
    subject: ids.user,
    time: "2026-03-01T12:03:00Z",
    datacontenttype: "application/json",
    data: { reason: "left the company" },
  },
);

export const eventOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/events",
    id: "sendEvent",
    tag: "Revocations",
    summary: "Takes an event of an upstream system",
    description:
      "One CloudEvent, structured as here or binary: its attributes as ce- headers and its data as application/json. " +
      "The same source and id again are the same event, with the same receipt. token.revoked needs data.jti; an event " +
      "about an external identity gives data.external with iss and sub in place of subject.",
    caller: "emitter",
    query: noQuerySchema,
    body: { contentType: "application/cloudevents+json", content: cloudEvent, isOptional: false },
    answers: {
      202: json("The log has it.", receipt, {
        headers: ["Location"],
        example: { ...pendingReceipt, source: "https://hr.example.com", source_event_id: "4711" },
      }),
    },
    problems: ["event-rejected", ...dependencyProblems],
  },
  {
    method: "post",
    path: "/revocations/:event_id/confirm",
    id: "confirmRevocation",
    tag: "Revocations",
    summary: "Lets a held revocation go on",
    caller: "admin",
    query: noQuerySchema,
    body: jsonBody("NoMembers", emptySchema, {}),
    answers: {
      202: json("It goes on.", receipt, { headers: ["Location"], example: pendingReceipt }),
    },
    problems: ["hold-over", "last-administrator", "administrator-busy", ...dependencyProblems],
  },
];
