import type { Receipt } from "../shared/receipts/receipt.ts";
import type { Credentials } from "./people.ts";

/** The calls of the demo, over real HTTP. */
export interface DemoClient {
  signIn(who: Credentials): Promise<string>;
  /** The status of the answer. */
  me(token: string): Promise<number>;
  deactivate(userId: string, adminToken: string): Promise<void>;
  reactivate(userId: string, adminToken: string): Promise<void>;
  /** Of the user's last revocation. */
  receipt(userId: string, adminToken: string): Promise<Receipt>;
}

export function createDemoClient(url: string): DemoClient {
  async function post(path: string, token: string | null, body?: object): Promise<Response> {
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }
  const get = (path: string, token: string) =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });

  return {
    async signIn({ email, password }) {
      const answer: unknown = await (await post("/auth/login", null, { email, password })).json();
      return memberOf(answer, "access_token");
    },
    async me(token) {
      const answer = await get("/me", token);
      await answer.arrayBuffer();
      return answer.status;
    },
    async deactivate(userId, adminToken) {
      await (await post(`/users/${userId}/deactivate`, adminToken)).arrayBuffer();
    },
    async reactivate(userId, adminToken) {
      await (await post(`/users/${userId}/reactivate`, adminToken)).arrayBuffer();
    },
    async receipt(userId, adminToken) {
      const answer = await post(`/users/${userId}/deactivate?wait=enforced`, adminToken);
      return (await answer.json()) as Receipt;
    },
  };
}

function memberOf(value: unknown, name: string): string {
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  return String(Reflect.get(value, name));
}
