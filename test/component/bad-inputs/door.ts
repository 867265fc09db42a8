import { expect } from "chai";
import { after, before, it } from "mocha";
import type { ErrorCode } from "../../../shared/errors.ts";
import { expectProblem } from "../../support/expect-problem.ts";
import { type ApiWorld, createApiWorld, sendRaw, type TestApi } from "../../support/test-api.ts";
import { createTokenForge, type TokenForge } from "../../support/token-forge.ts";

/** One input of a row of the table of bad inputs, and the problem that answers it; `accepted` where it is none. */
export type TokenRow = readonly [
  row: string,
  what: string,
  slug: ErrorCode | "accepted",
  token: (forge: TokenForge) => string,
];

export interface Door {
  readonly forge: TokenForge;
  readonly api: TestApi;
  readonly world: ApiWorld;
  /** `GET /me` with these lines beside Host and Connection, as they are. */
  readonly get: (path: string, ...lines: string[]) => ReturnType<typeof sendRaw>;
}

export async function openDoor(settings: Parameters<typeof createApiWorld>[0] = {}): Promise<Door> {
  const forge = await createTokenForge({ issuer: "https://issuer.test", audience: "quash" });
  const world = await createApiWorld({
    ...settings,
    keys: forge.keySet,
    settings: { ...settings.settings, TOKEN_ISSUER: "https://issuer.test" },
  });
  await world.startWorker();
  const api = await world.startApi();
  const get = (path: string, ...lines: string[]) =>
    sendRaw(
      api.port,
      Buffer.from(
        [`GET ${path} HTTP/1.1`, "Host: quash", "Connection: close", ...lines, "", ""].join("\r\n"),
        "latin1",
      ),
    );
  return { forge, api, world, get };
}

/** Opens a door before the tests of a suite and closes it after them. */
export function withDoor(): () => Door {
  let door: Door | undefined;
  before(async () => {
    door = await openDoor();
  });
  after(() => door?.world.close());
  return () => {
    if (door === undefined) throw new Error("the door is not open yet");
    return door;
  };
}

/** A test for each row, through real HTTP; that good tokens are still accepted afterwards is the last one. */
export function describeRows(rows: readonly TokenRow[]): void {
  const door = withDoor();
  for (const [row, what, slug, token] of rows) {
    it(`${row} ${what}: ${slug}`, async () => {
      const { forge, get } = door();
      const answer = await get("/me", `Authorization: Bearer ${token(forge)}`);
      if (slug === "accepted") expect(answer.status, answer.text).to.equal(200);
      else expectProblem(answer, slug);
    });
  }

  it("accepts a good token of each key after all of them", async () => {
    const { forge, api } = door();
    for (const key of [forge.rsa, forge.ec]) expect(await api.statusOf(forge.good(key))).to.equal(200);
  });
}
