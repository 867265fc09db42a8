import { z } from "zod";
import { eventTypes } from "../../../shared/events/event.ts";
import { plainText, reservedSourcePattern, textLimits } from "../../../shared/events/event-schema.ts";
import { emptySchema, noQuerySchema } from "../../routes/schemas.ts";
import { ids } from "../example-ids.ts";
import { dependencyProblems } from "../implied-problems.ts";
import { json, jsonBody, named, type Operation } from "../operation.ts";
import { pendingReceipt, receipt } from "../response-schemas.ts";

const subject = plainText(textLimits.subject).meta({ description: "The user's id." });
const jti = plainText(textLimits.jti).meta({ description: "The token's." });
const external = z
  .looseObject({ iss: plainText(textLimits.issuer), sub: plainText(textLimits.subject) })
  .meta({ description: "The user, as another identity provider names him." });
const details = {
  reason: plainText(textLimits.reason).nullish(),
  actor: plainText(textLimits.subject).nullish(),
  jti: jti.nullish(),
  exp: z.number().min(0).max(253_402_300_799).nullish().meta({ description: "The token's, in seconds." }),
  external: external.nullish(),
};
const attributes = {
  specversion: z.literal("1.0"),
  id: plainText(textLimits.id),
  source: plainText(textLimits.source).meta({
    not: { pattern: reservedSourcePattern },
    description: "Of the system that sends it; those under /quash are this system's own.",
  }),
  time: z.string().meta({ format: "date-time" }).nullish(),
  datacontenttype: z.literal("application/json").nullish(),
};
const tokenType = z.literal("token.revoked");
const userType = z.enum(eventTypes).exclude([tokenType.value]);

/** CloudEvents 1.0: of a token, of a user whose id is known, of an external identity. Other members are dropped. */
const cloudEvent = named(
  "CloudEvent",
  z.union([
    z.looseObject({ ...attributes, type: userType, subject, data: z.looseObject(details).nullish() }),
    z.looseObject({
      ...attributes,
      type: userType,
      subject: subject.nullish(),
      data: z.looseObject({ ...details, external }),
    }),
    z.looseObject({
      ...attributes,
      type: tokenType,
      subject: subject.nullish(),
      data: z.looseObject({ ...details, jti }),
    }),
  ]),
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

/** Which of the members an event needs depends on its type, which stands in a header. */
const eventData = named("EventData", z.looseObject(details), { reason: "left the company" });

export const eventOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/events",
    id: "sendEvent",
    tag: "Revocations",
    summary: "Takes an event of an upstream system",
    description:
      "One CloudEvent, structured as application/cloudevents+json, or binary: its data as application/json and its " +
      "attributes as ce- headers, of which ce-specversion, ce-id, ce-source and ce-type must be there. No member may be named __proto__, at any depth. " +
      "The same source and id again are the same event, with the same receipt; with another type, user or token they are refused. token.revoked needs data.jti; an event " +
      "about an external identity gives data.external with iss and sub in place of subject.",
    caller: "emitter",
    query: noQuerySchema,
    requestHeaders: ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-subject", "ce-time"],
    body: {
      contentType: "application/cloudevents+json",
      content: cloudEvent,
      other: { contentType: "application/json", content: eventData },
      isOptional: false,
    },
    answers: {
      202: json("The log has it.", receipt, {
        headers: ["Location"],
        example: { ...pendingReceipt, source: "https://hr.example.com", source_event_id: "4711" },
      }),
    },
    problems: ["event-rejected", "idempotency-conflict", ...dependencyProblems],
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
