import { z } from "zod";
import { ids } from "./example-ids.ts";
import { named } from "./operation.ts";
import { pageOf, time, uuid } from "./response-schemas.ts";

const session = z.strictObject({
  id: uuid,
  created_at: time,
  last_used_at: time,
  expires_at: time,
  address: z.string().nullable().meta({ description: "From where it was used last." }),
  agent: z.string().nullable().meta({ description: "The User-Agent that it was used with." }),
});
const example = {
  id: ids.sid,
  created_at: "2026-03-01T12:00:00.000Z",
  last_used_at: "2026-03-01T12:10:00.000Z",
  expires_at: "2026-03-31T12:00:00.000Z",
  address: "203.0.113.7",
  agent: "Mozilla/5.0",
};
const ownSession = session.extend({
  current: z.boolean().meta({ description: "Whether it is that of the token which is sent." }),
});

export const sessionPage = pageOf(named("Session", session, example));
export const ownSessionPage = pageOf(named("OwnSession", ownSession, { ...example, current: true }));
