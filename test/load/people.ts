import type { Client } from "../support/client.ts";

export interface Person {
  readonly id: string;
  readonly token: string;
}

export interface NewPerson {
  readonly email: string;
  readonly password: string;
}

/** Creates users and answers with their ids, in the same order. */
export type CreatePeople = (people: readonly NewPerson[]) => Promise<readonly string[]>;

const password = "a password for a load test";
const clientsAtOnce = 8;

/** Creates users and signs them in, some at a time: each costs a password hash. */
export async function signInPeople(
  { clients, createPeople }: { readonly clients: readonly Client[]; readonly createPeople: CreatePeople },
  count: number,
  log: (line: string) => void,
): Promise<Person[]> {
  const run = Date.now().toString(36);
  const wanted = Array.from({ length: count }, (_, at) => ({
    email: `${run}-${at}@load.example.com`,
    password,
  }));
  log(`creating ${count} users`);
  const ids = await createPeople(wanted);
  const people: Person[] = [];
  await someAtOnce(wanted.length, async (at) => {
    const client = clients[at % clients.length];
    const [id, email] = [ids[at], wanted[at]?.email];
    if (client === undefined || id === undefined || email === undefined) throw new Error("a user is missing");
    const person = { id, token: await client.signIn(email, password) };
    // As somebody who works with it: every instance has seen him before the measuring begins.
    for (const one of clients) await one.statusOf(person.token);
    people.push(person);
    if (people.length % 250 === 0) log(`${people.length} of ${count} users signed in`);
  });
  return people;
}

/** Over HTTP, as an administrator. */
export function createPeopleOverHttp(client: Client, adminToken: string): CreatePeople {
  return async (people) => {
    const ids: string[] = [];
    await someAtOnce(people.length, async (at) => {
      const person = people[at];
      if (person !== undefined) ids[at] = await client.createUser(adminToken, { ...person });
    });
    return ids;
  };
}

async function someAtOnce(count: number, run: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: clientsAtOnce }, work));
}
