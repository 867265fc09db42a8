import type { Embedded } from "./start-embedded.ts";

/** What a newcomer sees: where to go, who to be, and three calls to try. */
export function greetingOf({
  urls,
  administrator,
  users,
  client,
}: Pick<Embedded, "urls" | "administrator" | "users" | "client">): string {
  const [first, second] = urls.map(reachable);
  const people = [administrator, ...users];
  const [alice] = users;
  if (alice === undefined) throw new TypeError("alice is missing");
  const widest = Math.max(...people.map(({ email }) => email.length));
  const list = people.map(({ email, password }) => `  ${email.padStart(widest)}  ${password}`);
  return `
Quash: two API instances and a worker in one process. Nothing outlives it.

  ${first}   API instance 1
  ${second}   API instance 2

${list.join("\n")}

  OAuth client (operator): ${client.id}:${client.secret}

Paste this into another terminal. It signs alice in, deactivates her on instance 1, and shows instance 2 refuse her:

  token() { curl -s ${first}/auth/login -H 'content-type: application/json' -d "{\\"email\\":\\"$1\\",\\"password\\":\\"$2\\"}" | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/'; }
  alice=$(token ${alice.email} ${quoted(alice.password)}); curl -i ${second}/me -H "authorization: Bearer $alice"
  curl -i -X POST '${first}/users/${alice.id}/deactivate?wait=enforced' -H "authorization: Bearer $(token ${administrator.email} ${quoted(administrator.password)})"
  curl -i ${second}/me -H "authorization: Bearer $alice"

ready
`;
}

/** An address to listen on everywhere is none to call. */
function reachable(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//127.0.0.1:");
}

/** For a shell, and inside a JSON text in it. */
function quoted(password: string): string {
  const inJson = JSON.stringify(password).slice(1, -1);
  return `'${inJson.replaceAll("'", "'\\''")}'`;
}
