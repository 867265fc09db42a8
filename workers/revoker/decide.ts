import { AppError } from "../../shared/errors.ts";
import type { EventType } from "../../shared/events/event.ts";
import type { GuardAdministrators } from "../../shared/holds/guard-administrators.ts";
import type { Clock } from "../../shared/ports/platform.ts";
import type { SessionStore } from "../../shared/ports/session-store.ts";
import type { User, UserStore } from "../../shared/ports/user-store.ts";
import type { TokenRevocation } from "../../shared/revocation/addition.ts";
import { cameLate, type UserChange } from "../../shared/revocation/user-state.ts";
import { createChangeUser } from "./change-user.ts";
import type { Names, Plan, Selection } from "./plan.ts";
import type { ReceivedEvent } from "./received-event.ts";

export interface DecideDeps {
  readonly users: UserStore;
  readonly sessions: Pick<SessionStore, "findToken" | "endSessionsCreatedBy">;
  readonly clock: Clock;
  readonly names: Names;
  readonly guardAdministrators: GuardAdministrators;
}

interface NamedToken {
  readonly jti: string;
  readonly subject: string | null;
  readonly unrecorded: boolean;
  readonly namedToken: TokenRevocation | null;
}

const nothing: Plan = {
  subject: null,
  external: null,
  jti: null,
  epoch: null,
  notBefore: null,
  unrecorded: false,
  marks: [],
  marksMore: true,
  namedToken: null,
};

/**
 * Decides what an event comes to, and changes the user where the event is a change (upstream ones are, our own are
 * news of a change that was made before they left). Throws `event-rejected` for one that says too little.
 */
export function createDecide(deps: DecideDeps) {
  const { sessions, clock, names } = deps;
  const changeUser = createChangeUser(deps);

  /** `user` is whom an upstream event was resolved to; null for the others. */
  return async function decide(received: ReceivedEvent, user: User | null): Promise<Plan> {
    const { event, isOwn } = received;
    if (event.type === "token.revoked") return decideToken(received);
    if (isOwn && event.details.sid !== undefined) return decideSession(received, event.details.sid);
    if (isOwn) return decideOwn(received);
    return user === null ? decideUnknownUser(received) : decideUpstream(received, event.type, user);
  };

  function decideOwn({ event }: ReceivedEvent): Plan {
    const { subject } = event;
    const { epoch } = event.details;
    if (subject === undefined || epoch === undefined) throw saysTooLittle(event.type);
    return { ...nothing, subject, epoch, marks: [{ by: "epoch", subject, belowEpoch: epoch }] };
  }

  async function decideUpstream(received: ReceivedEvent, type: UserChange, found: User): Promise<Plan> {
    const { effectiveAtMs } = received;
    const { user, changed } = await changeUser(received, type, found);
    const { id: subject, epoch } = user;
    const marks: Selection[] = [{ by: "epoch", subject, belowEpoch: epoch }];
    if (!changed && cameLate(user, type, effectiveAtMs)) {
      // Before its tokens are looked for: a refresh gives out none that it records after this.
      await sessions.endSessionsCreatedBy(subject, effectiveAtMs, clock.wallMs());
      marks.push({ by: "issued-at", subject, issuedAtOrBeforeMs: effectiveAtMs });
    }
    return { ...nothing, subject, epoch, marks };
  }

  /**
   * Tokens of other issuers carry no epoch: their users are cut off by time. Nobody here is changed, also not one who
   * is created under that identity later: his creation is the later change of his state, as it would be if the event
   * came after it, and no cut-off by time applies to our own tokens. The row stays to be found.
   */
  function decideUnknownUser({ event, effectiveAtMs }: ReceivedEvent): Plan {
    const { external = null } = event.details;
    const whom = { ...nothing, subject: external === null ? (event.subject ?? null) : null, external };
    if (event.type === "user.reactivated") return whom;
    return { ...whom, notBefore: Math.floor(effectiveAtMs / 1_000) };
  }

  async function decideSession({ event }: ReceivedEvent, sid: string): Promise<Plan> {
    const { jti } = event.details;
    const marks: Selection[] = [{ by: "session", sid }];
    const subject = event.subject ?? null;
    if (jti === undefined) return { ...nothing, subject, marks };
    const named = await nameToken(names.ownIssuer, jti);
    return { ...nothing, ...named, subject, marks: [...marks, { by: "jti", jti }] };
  }

  async function decideToken({ event }: ReceivedEvent): Promise<Plan> {
    const { jti, external } = event.details;
    if (jti === undefined) throw saysTooLittle(event.type);
    const named = await nameToken(external?.iss ?? names.ownIssuer, jti);
    const subject = event.subject ?? named.subject;
    const marks: Selection[] = named.unrecorded ? [] : [{ by: "jti", jti }];
    return { ...nothing, ...named, subject, external: external ?? null, marks };
  }

  /** Its recorded expiry wins over what the event says; a token that is not recorded has none to trust. */
  async function nameToken(issuer: string, jti: string): Promise<NamedToken> {
    const recorded = issuer === names.ownIssuer ? await sessions.findToken(jti) : null;
    if (recorded === null) return { jti, subject: null, unrecorded: true, namedToken: null };
    const token = names.fingerprint(names.ownIssuer, jti);
    const namedToken = { kind: "token", token, exp: Math.ceil(recorded.expiresAtMs / 1_000) } as const;
    return { jti, subject: recorded.subject, unrecorded: false, namedToken };
  }
}

function saysTooLittle(type: EventType): AppError {
  return new AppError("event-rejected", `A ${type} of this source lacks the members that it must have.`);
}
