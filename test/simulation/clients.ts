import type { Random } from "../support/random.ts";
import { Administration } from "./administration.ts";
import type { Member } from "./member.ts";
import type { ClientAction } from "./plan.ts";
import { Probes } from "./probes.ts";
import { SignIns } from "./sign-ins.ts";
import { Upstream } from "./upstream.ts";
import type { World } from "./world.ts";

/** Users, administrators and upstream systems: what they ask for, and what they hold and saw. */
export class Clients {
  readonly signIns: SignIns;
  readonly administration: Administration;
  readonly probes: Probes;
  readonly #world: World;
  readonly #upstream: Upstream;

  constructor(world: World) {
    this.#world = world;
    this.signIns = new SignIns(world);
    this.administration = new Administration(world, this.signIns);
    this.probes = new Probes(world);
    this.#upstream = new Upstream(world);
  }

  /** Never rejects: what gets no answer has an outcome that nobody knows. */
  async act(action: ClientAction, random: Random): Promise<void> {
    const member = random.pick(this.#world.apis);
    try {
      await this.#act(action, member, random);
    } catch {
      this.#world.trace(`${action} got no answer`);
    }
  }

  async #act(action: ClientAction, member: Member, random: Random): Promise<void> {
    const user = random.pick(this.#world.userIds);
    const { signIns, administration, probes } = this;
    switch (action) {
      case "sign-in":
        return signIns.signIn(member, user);
      case "refresh":
        return signIns.refresh(member, random);
      case "log-out":
        return administration.logOut(member, random);
      case "deactivate":
        return administration.change(member, { user, path: "deactivate", kind: "deactivation" });
      case "deactivate-and-wait":
        return administration.change(member, {
          user,
          path: "deactivate?wait=enforced&timeout_ms=4000",
          kind: "deactivation",
        });
      case "sign-out":
        return administration.change(member, { user, path: "sign-out", kind: "sign-out" });
      case "delete":
        return administration.change(member, { user, path: null, kind: "deactivation" });
      case "reactivate":
        return administration.reactivate(member, user);
      case "revoke-token":
        return administration.revokeToken(member, random);
      case "publish":
      case "publish-again":
      case "publish-poison":
        return this.#upstream.act(action, user, random);
      case "probe":
      default:
        return probes.probeSomeToken(member, random);
    }
  }
}
