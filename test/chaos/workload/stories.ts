import { setTimeout as delay } from "node:timers/promises";
import type { Random } from "../../support/random.ts";
import type { EntryOf } from "../log-entry.ts";
import type { Recorder } from "../recorder.ts";
import type { ApiClient } from "./api-client.ts";
import { type IssuedToken, outcomeOf, type People, type Person } from "./people.ts";
import type { UpstreamSystem } from "./upstream-system.ts";

export interface StoryDeps {
  readonly apis: readonly ApiClient[];
  readonly people: People;
  readonly upstream: UpstreamSystem;
  readonly recorder: Recorder;
  readonly random: Random;
}

type Way = EntryOf<"revoke">["way"];

export type Story = () => Promise<void>;

/** What may happen to a user. Each story has a user of its own, so that it is clear what must become of his tokens. */
export function createStories(deps: StoryDeps): Readonly<Record<string, Story>> {
  const { apis, people, upstream, recorder, random } = deps;

  async function newcomer(): Promise<{ person: Person; tokens: IssuedToken[] }> {
    const person = await people.signUp();
    const tokens = [await people.signIn(person), await people.signIn(person)];
    await delay(random.integer(0, 1_500));
    return { person, tokens };
  }

  /** Until an answer says that it is done; each attempt is noted. */
  async function revoke(
    way: Way,
    person: Person,
    path: string,
    tokens?: readonly IssuedToken[],
  ): Promise<void> {
    await people.persist(
      async (api) => {
        const holder = way === "logout" ? tokens?.[0] : undefined;
        const method = way === "delete" ? "DELETE" : "POST";
        const answer = holder
          ? await api.call(path, { method, token: holder.token })
          : await people.admin(path, { method }, api);
        const event = answer.body["event_id"];
        recorder.note({
          op: "revoke",
          sent: answer.sent,
          done: answer.done,
          way,
          user: person.id,
          outcome: outcomeOf(answer),
          ...(typeof event === "string" && { event }),
          ...(tokens !== undefined && { tokens: tokens.map(({ jti }) => jti) }),
        });
        return answer;
      },
      // A 401 or 404 here says that an earlier attempt, whose answer was lost, has done it.
      ({ status }) => (status >= 200 && status < 300) || status === 401 || status === 404,
    );
  }

  async function deactivate(person: Person): Promise<void> {
    await revoke("deactivate", person, `/users/${person.id}/deactivate`);
  }

  async function deactivateUpstream(person: Person): Promise<void> {
    while ((await upstream.deactivate(person.id)) !== "accepted") await delay(500);
  }

  /** Only once the deactivation has reached the user, since a later one would rightly deactivate him again. */
  async function reactivate(person: Person): Promise<void> {
    await people.persist(
      async (api) => {
        const answer = await people.admin(`/users/${person.id}`, {}, api);
        const { sent, done, status, body } = answer;
        if (status === 200) {
          recorder.note({ op: "user-status", sent, done, user: person.id, status: String(body["status"]) });
        }
        return answer;
      },
      ({ body }) => body["status"] === "deactivated",
    );
    await people.persist(
      async (api) => {
        const answer = await people.admin(`/users/${person.id}/reactivate`, { method: "POST" }, api);
        const { sent, done } = answer;
        recorder.note({ op: "reactivate", sent, done, user: person.id, outcome: outcomeOf(answer) });
        return answer;
      },
      ({ status }) => status === 200,
    );
    await people.signIn(person);
  }

  return {
    async deactivated() {
      await deactivate((await newcomer()).person);
    },
    async deactivatedUpstream() {
      await deactivateUpstream((await newcomer()).person);
    },
    async deactivatedWhileSigningIn() {
      const { person } = await newcomer();
      const attempts = apis.map(async (api, i) => {
        await delay(i * 15);
        await people.tryToSignIn(person, api);
      });
      await Promise.all([deactivate(person), ...attempts]);
      await Promise.all(apis.map((api) => people.tryToSignIn(person, api)));
    },
    async reactivated() {
      const { person } = await newcomer();
      await deactivate(person);
      await delay(random.integer(0, 3_000));
      await reactivate(person);
    },
    async reactivatedAfterUpstream() {
      const { person } = await newcomer();
      await deactivateUpstream(person);
      await reactivate(person);
    },
    async deleted() {
      const { person } = await newcomer();
      await revoke("delete", person, `/users/${person.id}`);
    },
    async signedOutEverywhere() {
      const { person } = await newcomer();
      await revoke("sign-out", person, `/users/${person.id}/sign-out`);
      await people.signIn(person);
    },
    async loggedOut() {
      const { person, tokens } = await newcomer();
      await revoke("logout", person, "/auth/logout", tokens.slice(0, 1));
    },
    async tokenRevoked() {
      const { person, tokens } = await newcomer();
      await revoke("token", person, `/tokens/${tokens[0]?.jti}/revoke`, tokens.slice(0, 1));
    },
  };
}
