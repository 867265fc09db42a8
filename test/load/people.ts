import type { Client } from "../support/client.ts";

export interface Person {
  readonly id: string;
  readonly token: string;
}

const password = "a password for a load test";

/** Creates users and signs them in, some at a time: each costs two password hashes. */
export async function signInPeople(
  clients: readonly Client[],
  adminToken: string,
  count: number,
  log: (line: string) => void,
): Promise<Person[]> {
  const people: Person[] = [];
  const run = Date.now().toString(36);
  let next = 0;
  async function work(client: Client): Promise<void> {
    while (next < count) {
      const email = `${run}-${(next += 1)}@load.example.com`;
      const id = await client.createUser(adminToken, { email, password });
      const person = { id, token: await client.signIn(email, password) };
      // As somebody who works with it: every instance has seen him before the measuring begins.
      for (const one of clients) await one.statusOf(person.token);
      people.push(person);
      if (people.length % 100 === 0) log(`${people.length} of ${count} users signed in`);
    }
  }
  await Promise.all(clients.flatMap((client) => [work(client), work(client)]));
  return people;
}
